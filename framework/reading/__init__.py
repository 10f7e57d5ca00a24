"""Reading: feed entries and web pages into deals, without any model.

::

    amounts, currencies     prices in text, in any locale
    role, role_rules, roles what each amount of money in a text means
    titles, kinds           the anatomy of a title; one product or something else
    quantity, offers        how many it buys; price, list price and market price
    post, sources           an entry taken apart; where its price comes from
    description, merchants  the product in words; who sells it
    tree, markup, jsonld, visible, jsonbody, read_page, pages    web pages
    base, extractive        the contract of a reader, and the one that needs no model
"""
