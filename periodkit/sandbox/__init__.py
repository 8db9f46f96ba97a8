"""The API on this machine, over real HTTP, with data whose truth is known."""
