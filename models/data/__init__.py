"""Priced products: loading them and turning them into the texts that models see."""
