"""Talking to language models: backends, structured replies, retries, budgets. Start at ``client.Chat``."""
