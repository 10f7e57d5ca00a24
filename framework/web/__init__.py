"""The daemon's web side: health, metrics, API and access, with the dashboard mounted among them."""
