"""Counting on Spark by a driver of 1 GiB: how long, how many counts come over, and what the driver needs for them.

    python benchmarks/spark.py 50 s          # millions of actions, resolution
    python benchmarks/spark.py 50 ms

Two executors of one core stand in for a cluster. They make the actions up: what is measured is counting, not reading.
"""

import os
import resource
import sys
import time

import psutil
from pyspark.sql import SparkSession

import periodkit as pk
from periodkit.metrics.tally import count_stage

GROUPS = 24

# Twelve minutes in the mean, longer in some groups than in others; a fortieth still open, as many canceled.
ACTIONS = f"""
SELECT concat('group ', format_string('%02d', id % {GROUPS})) AS venue,
       timestamp_millis(1720000000000 + id) AS created_time,
       CASE WHEN kind >= 1 THEN timestamp_millis(1720000000000 + id + length) END AS closed_time,
       CASE WHEN kind >= 2 THEN 'closed' WHEN kind >= 1 THEN 'canceled' ELSE 'doing' END AS status,
       timestamp_millis(1720000000000 + id + 86400000) AS fetched_at
FROM (SELECT id, rand(2) * 40 AS kind, CAST(-ln(1 - rand(1)) * 720000 * (1 + id % {GROUPS} / 12) AS BIGINT) AS length
      FROM range(0, {{n}}, 1, 16))
"""


def main() -> None:
    millions, resolution = float(sys.argv[1]), sys.argv[2]
    settings = {
        "spark.driver.memory": "1g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.executor.memory": "1536m",
        "spark.sql.shuffle.partitions": "8",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1536]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    pk.cycle_times(spark.sql(ACTIONS.format(n=1000)))  # what is done once, such as importing, is not measured
    actions = spark.sql(ACTIONS.format(n=int(millions * 1e6)))
    load, begun = os.getloadavg()[0], time.perf_counter()
    try:
        counts = count_stage(actions, "cycle", "venue", resolution=resolution)
    except pk.PeriodkitError as error:
        print(f"{millions:g} million at {resolution}: refused after {time.perf_counter() - begun:.0f} s: {error}")
    else:
        counted = time.perf_counter() - begun
        table = pk.metrics.quantile_table(counts, {0.5: "p50", 0.9: "p90"})
        whole = time.perf_counter() - begun
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        java = psutil.Process(spark.sparkContext._gateway.proc.pid).memory_info().rss / 2**20
        print(
            f"{millions:g} million at {resolution}: counted in {counted:.0f} s, estimated after {whole:.0f} s; "
            f"{len(counts.n):,} counts; Python at most {own:,.0f} MiB, the driver's Java {java:,.0f} MiB at the end; "
            f"load at the start {load:.1f}"
        )
        print(table[["venue", "n", "p50", "p90"]].head(3).to_string(index=False))
    spark.stop()


if __name__ == "__main__":
    main()
