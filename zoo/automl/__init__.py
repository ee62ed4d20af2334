"""The search for the best predictor of one's own data, and predictors."""
