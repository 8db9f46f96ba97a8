"""Counts -> estimates. Knows no actions."""

from periodkit.metrics.estimate.charts import Chart, laney_chart, log_xmr_chart
from periodkit.metrics.estimate.grouped import observed_quantiles, survival_quantiles
from periodkit.metrics.estimate.holm import holm_within
from periodkit.metrics.estimate.incidence import IncidenceCurve, aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import LogRank, logrank
from periodkit.metrics.estimate.meta import Prediction, predict
from periodkit.metrics.estimate.outlook import count_limits, remaining_share
from periodkit.metrics.estimate.poisson import garwood
from periodkit.metrics.estimate.rates import (
    Floats,
    QuantileInterval,
    newcombe,
    observed_quantile,
    quantile_interval,
    wilson,
)
from periodkit.metrics.estimate.scales import from_log, from_logit, log_count, log_time, logit_share
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
    "Chart",
    "Floats",
    "IncidenceCurve",
    "LifeTable",
    "LogRank",
    "Prediction",
    "QuantileInterval",
    "SurvivalCurve",
    "SurvivalPoints",
    "aalen_johansen",
    "count_limits",
    "from_log",
    "from_logit",
    "garwood",
    "holm_within",
    "incidence_at",
    "kaplan_meier",
    "laney_chart",
    "log_count",
    "log_time",
    "log_xmr_chart",
    "logit_share",
    "logrank",
    "merge",
    "newcombe",
    "observed_quantile",
    "observed_quantiles",
    "predict",
    "quantile_interval",
    "remaining_share",
    "restricted_mean",
    "survival_at",
    "survival_quantile",
    "survival_quantiles",
    "wilson",
]
