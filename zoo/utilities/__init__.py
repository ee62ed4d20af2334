"""What everything stands on: errors, files, hardware, how a score is written."""
