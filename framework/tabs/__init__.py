"""The dashboard's tabs in Gradio, one module each, over the pages and the desk. The only owner of gradio.

::

    look.py    gradio itself: imported quietly, theme, how the page is mounted
    board.py   the parts of the page that are re-read by the timer
    deals.py  live.py  ask.py  feeds.py  map.py  accuracy.py  settings.py   the tabs
"""
