"""How often a law is tried on random examples: a sample of them in `make test`, five times as many in `make soak`."""

from hypothesis import HealthCheck, settings

USUAL = 100
"""The examples of hypothesis itself, which the profile of `make soak` has more of."""


def law(examples):
    """Return the settings of a property that is tried on so many examples in `make test`."""
    most = max(1, examples * settings.default.max_examples // USUAL)
    return settings(deadline=None, max_examples=most, suppress_health_check=[HealthCheck.too_slow])
