"""A real Spark cluster on this machine: a master and two workers as processes, and one driver for all tests."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import psutil

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"  # what runs for seconds is not worth compiling well
PATIENCE = 180  # seconds; a quiet machine needs 3 for a worker and 15 for a session


def why_not() -> str:
    """Return why Spark cannot run here; empty if it can."""
    absent = [name for name in ("pyspark", "grpc", "zstandard") if find_spec(name) is None]
    if absent:
        return f"the extra spark is not installed: no {absent[0]}"
    java = Path(os.environ.get("JAVA_HOME", "/"), "bin", "java")
    return "" if shutil.which("java") or java.exists() else "there is no Java"


@dataclass
class Cluster:
    url: str
    workers: list[subprocess.Popen[bytes]]

    def kill_the_worker_of(self, task: int) -> None:
        """Kill the worker that started a process, and all that it started."""
        worker = next(each for each in self.workers if task in {process.pid for process in _family(each)})
        for process in _family(worker):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        worker.wait(PATIENCE)


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        top = psutil.Process(process.pid)
        return [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _start(folder: Path, name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
    import pyspark  # noqa: PLC0415

    home = Path(pyspark.__file__).parent
    settings = {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
    settings |= {"PYSPARK_PYTHON": sys.executable, "SPARK_WORKER_DIR": str(folder), "SPARK_DAEMON_JAVA_OPTS": QUICK}
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{arguments[0]}", *arguments[1:]]
        process = subprocess.Popen(command, env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT)
    return process, log


def wait_for(log: Path, pattern: str, process: subprocess.Popen[bytes]) -> str:
    """Return what a process's log says, as soon as it says it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(pattern, log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"{log.name} never said {pattern!r}:\n{log.read_text(errors='replace')[-3000:]}")


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Run a master and two workers of one core each, and end them and all that they started."""
    started = []
    try:
        master, log = _start(
            folder, "master", "master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"
        )
        started.append(master)
        url = wait_for(log, r"Starting Spark master at (spark://\S+)", master)
        workers = []
        for number in range(2):
            options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
            worker, log = _start(folder, f"worker{number}", "worker.Worker", *options, "-d", str(folder), url)
            started.append(worker)
            workers.append((worker, log))
        for worker, log in workers:
            wait_for(log, r"(Successfully registered with master)", worker)
        yield Cluster(url, [worker for worker, _ in workers])
    finally:
        for process in (family for each in started for family in _family(each)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for each in started:
            each.wait(PATIENCE)


@contextmanager
def running_session(url: str) -> Iterator[tuple[Any, int]]:
    """Run a session on a cluster; the port is that at which the same driver answers Connect."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.cores.max": 2,
        "spark.default.parallelism": 2,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": QUICK,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.cores": 1,
        "spark.executor.extraJavaOptions": QUICK,
        "spark.executor.memory": "512m",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": 2,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master(url).appName("periodkit's tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    # The driver tells the workers by this which Python to run.
    with mock.patch.dict(os.environ, PYSPARK_PYTHON=sys.executable):
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    gateway = session.sparkContext._gateway
    try:
        yield session, port
    finally:
        session.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(PATIENCE)
