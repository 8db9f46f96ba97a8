"""The API on this machine, over real HTTP, with data whose truth is known.

`season` draws a synthetic season, `dataset` reads and writes recorded ones, `server` serves either. Only `server` needs
the extra packages of ``pip install "periodkit[sandbox]"``.
"""
