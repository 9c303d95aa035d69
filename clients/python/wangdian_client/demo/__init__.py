"""A day at the bank, driven through the client as kiosks, tellers and customers do: for `wangdian demo` and tests."""

from wangdian_client.demo.bank import NothingOpen, TokenFactory
from wangdian_client.demo.journal import Entry, Journal, read_journal
from wangdian_client.demo.run import run_demo
from wangdian_client.demo.scenario import Scenario
from wangdian_client.demo.tally import Tally

__all__ = ["Entry", "Journal", "NothingOpen", "Scenario", "Tally", "TokenFactory", "read_journal", "run_demo"]
