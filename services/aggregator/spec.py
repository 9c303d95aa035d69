"""What the aggregator is made of."""

from services.aggregator.base import AggregatorModel
from services.aggregator.collector.source import collect
from services.aggregator.facts import rebuild
from services.aggregator.facts.api import router as operations
from services.aggregator.facts.handlers import HANDLERS
from services.aggregator.figures.pages import router as figures
from services.aggregator.metrics.api import router as metrics
from shared.spec import LoopSpec, ServiceSpec

SPEC = ServiceSpec(
    name="aggregator",
    routers=(metrics, operations),
    pages=(figures,),
    metadata=AggregatorModel.metadata,
    migrations="services.aggregator.migrations",
    handlers=HANDLERS,
    loops=(LoopSpec("rebuild", rebuild.make_turn, interval=10.0),),
    collector=collect,
)
