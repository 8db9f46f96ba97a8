"""
A season on disk
================

Fetch once, count without loading, and prove later that nothing changed.

``sync`` fetches what is new or may have changed. ``scan`` gives a DuckDB relation over the archive's files.
"""

import tempfile

import periodkit as pk

folder = tempfile.TemporaryDirectory()
archive = pk.Archive(f"{folder.name}/season")
with pk.demo_client() as client:
    archive.sync(client)

archive.snapshot("season report")
rates = pk.reroute_rate(archive.scan(), by="channel")
print(f"{len(archive.verify('season report'))} values have changed since the snapshot")
folder.cleanup()
pk.format_table(rates)
