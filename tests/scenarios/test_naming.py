from .naming import build_network, read_names
from .timeline import Timeline


def network_of(scenario):
    return build_network(scenario, read_names(scenario), Timeline(scenario))


def test_a_node_that_is_only_asked_for_stays_unknown():
    scenario = {
        "given": {"nodes": [{"id": "L1"}], "on_hand": [{"node": "L2", "sku": "I", "qty": 2}]},
        "steps": [{"op": "reserve", "node": "L3", "lines": [{"sku": "I", "qty": 1}]}],
    }

    assert list(network_of(scenario).nodes) == ["L1", "L2"]


def test_a_node_that_receives_is_known():
    steps = [{"op": "receive", "node": "N", "sku": "A", "qty": 1}]

    assert list(network_of({"steps": steps}).nodes) == ["N"]


def test_without_any_node_there_is_a_virtual_one():
    scenario = {"given": {"nodes": []}, "steps": [{"op": "check", "sku": "PRE", "qty": 1}]}

    (node,) = network_of(scenario).nodes.values()

    assert node.kind == "virtual"


def test_a_node_switched_off_is_inactive_and_keeps_its_priority():
    scenario = {"given": {"nodes": [{"id": "N", "priority": 4, "enabled": False}]}}

    node = network_of(scenario).nodes["N"]

    assert not node.active
    assert node.priority == 4


def test_components_are_counted_in_the_units_of_measure_given():
    given = {
        "uom": [{"sku": "flour", "base": "kg"}, {"sku": "egg", "base": "unit"}],
        "on_hand": [{"sku": "flour", "qty": "0.12"}],
        "kits": [
            {
                "sku": "cake",
                "components": [
                    {"sku": "flour", "per": 5, "uom": "g"},
                    {"sku": "egg", "per": 2, "uom": "dozen"},
                ],
            }
        ],
    }

    network = network_of({"given": given})

    assert network.skus["flour"].unit_scale == 1000
    assert network.explode("cake") == {"flour": 5, "egg": 24}


def test_a_bundle_that_only_order_lines_describe_offers_what_they_select():
    lines = [{"bundle": "B", "qty": 2, "selections": [{"sku": "x", "per": 3}]}]

    network = network_of({"steps": [{"op": "reserve", "lines": lines}]})

    assert network.skus["B"].options[0].choices == (("x", 3),)
    assert not network.skus["B"].options[0].required


def test_channels_are_found_in_attributes_too():
    steps = [{"op": "check", "sku": "A", "qty": 1, "attrs": {"channel": "Wholesale"}}]

    assert list(network_of({"steps": steps}).channels) == ["Wholesale"]


def test_a_lead_time_is_a_fence_only_where_supply_is_unlimited_after_it():
    rules = {"lead_time_days": {"X": 14}, "unlimited_supply_after_lead_time": True}
    limited = {**rules, "unlimited_supply_after_lead_time": False}

    assert network_of({"given": {"rules": rules}}).skus["X"].replenishment_buckets == 14
    assert network_of({"given": {"rules": limited}}).skus["X"].replenishment_buckets is None
