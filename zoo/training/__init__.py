"""What all models share while they learn: the run, its folder, results, card and proof."""
