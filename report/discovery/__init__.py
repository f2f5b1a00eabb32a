"""Discover in which futures a configuration does badly: PRIM, CART, and how far their boxes can be trusted."""

from report.discovery.boxes import Box, Inputs
from report.discovery.cart import Leaf, cart
from report.discovery.finding import PUBLISHED_THRESHOLD, Finding, default_threshold, discover
from report.discovery.prim import Step, prim, quasi_p

__all__ = [
    "PUBLISHED_THRESHOLD",
    "Box",
    "Finding",
    "Inputs",
    "Leaf",
    "Step",
    "cart",
    "default_threshold",
    "discover",
    "prim",
    "quasi_p",
]
