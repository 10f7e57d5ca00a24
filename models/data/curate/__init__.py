"""Curation: raw product records into training data.

``read`` cleans one record, ``window`` fits its text to a tokenizer, ``similar`` finds duplicates, ``balance`` draws
evenly over prices and categories, ``build`` runs it all over a ``source`` and ``report`` shows what happened.
"""
