"""What the commands of ``cli.py`` do: plain functions over the assembled hound that return rows of data.

They know neither Typer nor the terminal; ``cli.py`` parses arguments and prints what they return.
"""
