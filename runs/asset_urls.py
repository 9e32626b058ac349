"""Decides the paths of the pages about assets, and about what lies between DAGs."""

from django.urls import path

from runs.views import asset_orders, assets

_ASSET = "assets/<int:asset_id>"
ASSETS = [
    path("assets", assets.asset_list, name="asset_list"),
    path("dags/<str:dag_id>/assets", assets.dag_assets, name="dag_assets"),
    path("assets/graph", assets.asset_graph, name="asset_graph"),
    path("dependencies", assets.dependencies, name="dependencies"),
    path(_ASSET, assets.asset_detail, name="asset_detail"),
    path(_ASSET + "/events/<int:event_id>", assets.asset_event, name="asset_event"),
    path(_ASSET + "/event", asset_orders.asset_event_create, name="asset_event_create"),
    path(_ASSET + "/materialize", asset_orders.asset_materialize, name="asset_materialize"),
    path(_ASSET + "/queue/empty", asset_orders.asset_queue_empty, name="asset_queue_empty"),
    path(_ASSET + "/queue/<str:dag_id>/empty", asset_orders.asset_queue_empty, name="asset_queue_empty_of"),
    path(_ASSET + "/values/<path:key>/forget", asset_orders.asset_value_drop, name="asset_value_drop"),
]
