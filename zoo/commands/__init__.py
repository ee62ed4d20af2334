"""The verbs of the program `zoo`, one file each."""
