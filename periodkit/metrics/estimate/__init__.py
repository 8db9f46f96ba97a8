"""Counts -> estimates. Knows no actions."""

from periodkit.metrics.estimate.grouped import observed_quantiles, survival_quantiles
from periodkit.metrics.estimate.incidence import IncidenceCurve, aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import LogRank, logrank
from periodkit.metrics.estimate.rates import (
    Floats,
    QuantileInterval,
    newcombe,
    observed_quantile,
    quantile_interval,
    wilson,
)
from periodkit.metrics.estimate.survival import (
    SurvivalCurve,
    SurvivalPoints,
    kaplan_meier,
    restricted_mean,
    survival_at,
    survival_quantile,
)
from periodkit.metrics.tally.life_table import LifeTable, merge

__all__ = [
    "Floats",
    "IncidenceCurve",
    "LifeTable",
    "LogRank",
    "QuantileInterval",
    "SurvivalCurve",
    "SurvivalPoints",
    "aalen_johansen",
    "incidence_at",
    "kaplan_meier",
    "logrank",
    "merge",
    "newcombe",
    "observed_quantile",
    "observed_quantiles",
    "quantile_interval",
    "restricted_mean",
    "survival_at",
    "survival_quantile",
    "survival_quantiles",
    "wilson",
]
