"""What Dealhound remembers: the database (``store.py``), ``memory.json`` (``snapshot.py``), backups and the lock."""
