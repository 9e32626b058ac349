"""Decides which places DAG files come from: what the configuration names (``orchestrator.sdk.bundles.configured``)."""

from orchestrator.sdk.bundles.configured import EXAMPLES_BUNDLE, LOCAL_KIND, BundleSource, configured_bundles

__all__ = ["EXAMPLES_BUNDLE", "LOCAL_KIND", "BundleSource", "configured_bundles"]
