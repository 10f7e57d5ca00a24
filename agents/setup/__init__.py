"""The guided set-up: what is asked, how each answer is tried out, and where it is written."""
