"""What the commands do: plain functions over the assembled hound that return rows of data.

They know neither Typer nor the terminal; ``agents.terminal`` parses arguments and prints what they return.
"""
