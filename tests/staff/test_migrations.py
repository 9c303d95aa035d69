"""The migrated schema is the models' schema."""

import sqlalchemy as sa

from services.staff.spec import SPEC
from shared.db.migrate import drift, migrate_sqlite, run


def test_the_migrated_tables_are_the_models(tmp_path):
    path = tmp_path / "staff.sqlite3"
    assert migrate_sqlite(path, SPEC.migrations)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as bind:
        assert drift(bind, SPEC.metadata) == []
    with engine.begin() as bind:
        run(bind, SPEC.migrations, "down")
        assert set(sa.inspect(bind).get_table_names()) <= {"alembic_version", "sqlite_sequence"}
    engine.dispose()
