"""Figures and pages that planners read."""

from omnistock.reports.report import report_html, write_report

__all__ = ["report_html", "write_report"]
