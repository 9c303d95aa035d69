"""The quote's parameters say within how many seconds a free window calls; it was written into the code before."""

import json

import sqlalchemy as sa
from alembic import op

revision = "q0005"
down_revision = "q0004"
branch_labels = None
depends_on = None

CALLED_WITHIN = {"called_within_seconds": 60}

model = sa.table("quote_model", sa.column("version", sa.Integer), sa.column("body", sa.Text))


def _change(drop: bool) -> None:
    connection = op.get_bind()
    for version, body in connection.execute(sa.select(model.c.version, model.c.body)).all():
        kept = {name: value for name, value in json.loads(body).items() if name not in CALLED_WITHIN}
        changed = kept if drop else CALLED_WITHIN | json.loads(body)
        connection.execute(model.update().where(model.c.version == version).values(body=json.dumps(changed)))


def upgrade() -> None:
    _change(drop=False)


def downgrade() -> None:
    _change(drop=True)
