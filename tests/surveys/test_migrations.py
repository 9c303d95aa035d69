"""The migrated schema is the models' schema, on both databases, and goes down as it came."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from services.surveys.spec import SPEC
from shared.db.migrate import drift, migrate_postgres, migrate_sqlite, run
from shared.testing.postgres import new_database

LEFT = {"alembic_version", "sqlite_sequence"}


def test_the_migrated_tables_are_the_models(tmp_path):
    path = tmp_path / "surveys.sqlite3"
    assert migrate_sqlite(path, SPEC.migrations)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as bind:
        assert drift(bind, SPEC.metadata) == []
    with engine.begin() as bind:
        run(bind, SPEC.migrations, "down")
        assert set(sa.inspect(bind).get_table_names()) <= LEFT
    engine.dispose()


async def test_the_migrated_tables_are_the_models_on_postgres(postgres):
    url = await new_database(postgres)
    await migrate_postgres(url, SPEC.migrations)
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda bind: drift(bind, SPEC.metadata)) == []
    await migrate_postgres(url, SPEC.migrations, "down")
    async with engine.connect() as connection:
        assert set(await connection.run_sync(lambda bind: sa.inspect(bind).get_table_names())) <= LEFT
    await engine.dispose()
