"""What the aggregator is made of."""

from services.aggregator.base import AggregatorModel
from services.aggregator.collector.source import collect
from services.aggregator.facts import rebuild
from services.aggregator.facts.api import router as operations
from services.aggregator.facts.handlers import HANDLERS
from services.aggregator.figures.pages import router as figures
from services.aggregator.metrics import subtotals
from services.aggregator.metrics.api import router as metrics
from services.aggregator.metrics.handlers import HANDLERS as PLACES
from shared.spec import LoopSpec, ServiceSpec

SPEC = ServiceSpec(
    name="aggregator",
    routers=(metrics, operations),
    pages=(figures,),
    metadata=AggregatorModel.metadata,
    migrations="services.aggregator.migrations",
    handlers=(*PLACES, *HANDLERS),
    loops=(
        LoopSpec("rebuild", rebuild.make_turn, interval=10.0),
        LoopSpec("subtotals", subtotals.make_turn),
        LoopSpec("tree", subtotals.make_check, interval=30.0),
    ),
    collector=collect,
)
