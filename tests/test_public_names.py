"""Names that users, notebooks and outside checks import. More may come; none of these may go."""

import importlib

import pytest

PROMISED = {
    "periodkit": """
        ApiError Archive ArchiveError ArgumentError AuthError BadValueWarning Client ConfigError
        FetchInterrupted InvalidRequestError PartialResultError PeriodNotFoundError PeriodkitError
        RateLimitError RetryPolicy SchemaError ServerError SyncResult TransportError __version__
        add_clock ai_dispatch_rate connect cycle_times demo_client describe explore format_table latest_period live
        load markers on_time
        open_actions outcome_curve plots pseudonymize quality quality_advice report reroute_rate
        routing_matrix source stage_quantiles stage_times to_excel unusual_periods workload
    """,
    "periodkit.plots": """
        aging alt_text cumulative_flow cycle_scatter cycle_time_ecdf dispatch_rate display event_ribbon
        outcome_areas p90_forest routing_matrix to_png
    """,
    "periodkit.errors": """
        ApiError ArchiveError ArgumentError AuthError BadValueWarning ConfigError FetchInterrupted
        InvalidRequestError PartialResultError PeriodNotFoundError PeriodkitError RateLimitError SchemaError
        ServerError TransportError
    """,
    "periodkit.answers": """
        ai_mix ai_share ai_times completed_only in_short kept_target longest_stage records slowest waiting
    """,
    "periodkit.metrics.estimate": """
        Floats IncidenceCurve LifeTable LogRank QuantileInterval SurvivalCurve SurvivalPoints aalen_johansen
        incidence_at kaplan_meier logrank merge newcombe observed_quantile observed_quantiles
        quantile_interval restricted_mean survival_at survival_quantile survival_quantiles wilson
    """,
    "periodkit.metrics.tally": """
        EXCLUDED TIMED UNITS By Ints LifeTable StageCounts as_counts count_cells count_flags count_stage
        encode gone_states grouping join_entry merge merge_keys sort_keys sum_up
    """,
}


@pytest.mark.parametrize(("module", "names"), PROMISED.items())
def test_promised_names_can_be_imported(module, names):
    home = importlib.import_module(module)
    gone = [name for name in names.split() if getattr(home, name, None) is None]
    assert gone == []


@pytest.mark.parametrize(("module", "names"), PROMISED.items())
def test_promised_names_are_offered(module, names):
    offered = importlib.import_module(module).__all__
    assert len(set(offered)) == len(offered)
    assert set(names.split()) <= set(offered)
