"""Estimators of what a product is worth, their training, evaluation and shipped artifacts.

Imports ``framework`` only.
"""
