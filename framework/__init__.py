"""What every room stands on: domain types, errors, settings, HTTP, memory and the pure rules.

Imports nothing from ``models`` or ``agents``.
"""
