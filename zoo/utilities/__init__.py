"""The lowest room: errors, files, hardware, how a score is written."""
