"""Names -> configs -> objects. The folder conf/ is the catalog."""
