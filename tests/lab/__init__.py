"""A small mail world on one machine: a private network, a name server, a Postfix, sixgate and its clients.

Each module is one part of it; `site.py` puts them together.
"""
