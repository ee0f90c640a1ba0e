#!/usr/bin/env python3
"""Ordinary traffic of SQLAlchemy (async, asyncpg): what the ORM sends by itself must work as it stands."""
import asyncio
import os
import subprocess
import sys
import uuid

try:
    import asyncpg
    import sqlalchemy as sa
    from sqlalchemy import event, func, select, text
    from sqlalchemy.dialects.postgresql import ENUM, JSONB, UUID, insert
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
    from sqlalchemy.orm import declarative_base
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(0)

HOST = os.environ["PGHOST"]
DATABASE = "sqlalchemy_test"
Base = declarative_base(metadata=sa.MetaData(schema="stratum"))


def enum(name, *labels):
    return ENUM(*labels, name=name, schema="stratum", create_type=False)


class Campaign(Base):
    """As a model generator writes it: no server default but the id's, so every column is in every INSERT."""
    __tablename__ = "campaigns"
    id = sa.Column(sa.Integer, primary_key=True)
    tenant_id = sa.Column(sa.Integer)
    platform = sa.Column(enum("ad_platform", "meta", "google", "tiktok", "snapchat"), nullable=False)
    external_id = sa.Column(sa.String(255), nullable=False)
    account_id = sa.Column(sa.String(255), nullable=False)
    name = sa.Column(sa.String(500), nullable=False)
    status = sa.Column(enum("campaign_status", "draft", "active", "paused", "completed", "archived"))
    daily_budget_cents = sa.Column(sa.Integer)
    total_spend_cents = sa.Column(sa.Integer)
    currency = sa.Column(sa.String(3))
    impressions = sa.Column(sa.Integer)
    clicks = sa.Column(sa.Integer)
    conversions = sa.Column(sa.Integer)
    revenue_cents = sa.Column(sa.Integer)
    ctr = sa.Column(sa.Float)
    cpc_cents = sa.Column(sa.Integer)
    targeting_genders = sa.Column(JSONB)
    labels = sa.Column(JSONB(none_as_null=True))
    created_at = sa.Column(sa.DateTime(timezone=True))
    updated_at = sa.Column(sa.DateTime(timezone=True))
    is_deleted = sa.Column(sa.Boolean)


class User(Base):
    __tablename__ = "users"
    id = sa.Column(sa.Integer, primary_key=True)
    tenant_id = sa.Column(sa.Integer)
    email = sa.Column(sa.String(255), nullable=False)
    email_hash = sa.Column(sa.String(64))
    password_hash = sa.Column(sa.String(255), nullable=False)
    full_name = sa.Column(sa.String(255))
    role = sa.Column(enum("user_role", "superadmin", "admin", "manager", "analyst", "viewer"))
    is_active = sa.Column(sa.Boolean)
    preferences = sa.Column(JSONB)
    last_login_at = sa.Column(sa.DateTime(timezone=True))


class Profile(Base):
    __tablename__ = "cdp_profiles"
    id = sa.Column(sa.Integer, primary_key=True)
    tenant_id = sa.Column(sa.Integer)
    canonical_id = sa.Column(UUID(as_uuid=True), nullable=False)
    email = sa.Column(sa.String(255))
    email_hash = sa.Column(sa.String(64))
    traits = sa.Column(JSONB)
    consent = sa.Column(JSONB)


class Segment(Base):
    __tablename__ = "cdp_segments"
    id = sa.Column(sa.Integer, primary_key=True)
    tenant_id = sa.Column(sa.Integer)
    name = sa.Column(sa.String(255), nullable=False)
    conditions = sa.Column(JSONB, nullable=False)
    profile_count = sa.Column(sa.Integer)


class AuditLog(Base):
    __tablename__ = "audit_logs"
    id = sa.Column(sa.Integer, primary_key=True)
    tenant_id = sa.Column(sa.Integer)
    user_id = sa.Column(sa.Integer)
    action = sa.Column(enum("audit_action", "create", "update", "delete", "login", "logout", "export", "anonymize"))
    resource_type = sa.Column(sa.String(100))
    details = sa.Column("metadata", JSONB(none_as_null=True))
    created_at = sa.Column(sa.DateTime(timezone=True))


count = 0
failed = 0


def ok(condition, name):
    global count, failed
    count += 1
    failed += not condition
    print(f"{'ok' if condition else 'not ok'} {count} - {name}")


def equal(got, expected, name):
    ok(got == expected, name)
    if got != expected:
        print(f"#   got {got!r}, expected {expected!r}")


def psql(sql, database="postgres"):
    subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql], check=True, stdout=subprocess.DEVNULL)


def for_tenant(engine, tenant):
    """A session that enters a tenant whenever it begins a transaction: the way the README shows."""
    session = AsyncSession(engine, expire_on_commit=False)

    @event.listens_for(session.sync_session, "after_begin")
    def enter(_session, _transaction, connection):
        connection.execute(text("SELECT stratum.enter(:tenant)"), {"tenant": tenant})

    return session


async def inserts(engine):
    async with for_tenant(engine, 1) as session:
        campaign = Campaign(platform="meta", external_id="a", account_id="acc", name="A", impressions=1000, clicks=20, targeting_genders=None)
        session.add(campaign)
        await session.commit()
        await session.refresh(campaign)
        equal((campaign.tenant_id, campaign.status, campaign.currency, campaign.ctr, campaign.labels, campaign.is_deleted),
              (1, "draft", "USD", 2.0, [], False), "INSERT that lists every column: tenant, defaults and metrics are there")
        session.add_all([Campaign(platform="google", external_id=f"g{i}", account_id="acc", name=f"G{i}") for i in range(5)])
        await session.commit()
        rows = (await session.execute(select(Campaign.external_id, Campaign.tenant_id).order_by(Campaign.external_id))).all()
        equal([tuple(r) for r in rows], [("a", 1)] + [(f"g{i}", 1) for i in range(5)], "add_all(): many rows in one statement")
        equal((await session.execute(select(func.jsonb_typeof(Campaign.targeting_genders)).where(Campaign.external_id == "a"))).scalar(),
              "null", "None in a JSONB column is JSON null")


async def updates(engine):
    async with for_tenant(engine, 1) as session:
        campaign = (await session.execute(select(Campaign).where(Campaign.external_id == "a"))).scalar_one()
        for column in ("tenant_id", "platform", "external_id", "account_id", "status", "currency", "labels", "created_at"):
            sa.orm.attributes.flag_modified(campaign, column)
        campaign.name, campaign.clicks = "A2", 30
        await session.commit()
        await session.refresh(campaign)
        equal((campaign.name, campaign.ctr), ("A2", 3.0), "UPDATE of every column")
        result = await session.execute(sa.update(Campaign).where(Campaign.external_id == "a").values(name="A2"))
        equal(result.rowcount, 1, "an update that changes nothing counts its row")
        await session.commit()
        values = dict(platform="meta", external_id="a", account_id="acc", name="A3", total_spend_cents=500, clicks=40, impressions=1000,
                      ctr=None, status="active", labels=["x"])
        statement = insert(Campaign).values(**values)
        statement = statement.on_conflict_do_update(
            index_elements=["tenant_id", "platform", "external_id"],
            set_={c: statement.excluded[c] for c in values if c not in ("platform", "external_id")}).returning(Campaign.name, Campaign.ctr, Campaign.cpc_cents)
        equal(tuple((await session.execute(statement)).one()), ("A3", 4.0, 13), "upsert that sets every column but the key")
        await session.commit()


async def merges(engine):
    async with for_tenant(engine, 1) as session:
        session.add(User(email="Ann@North.test", password_hash="h"))
        await session.commit()
        user = (await session.execute(select(User))).scalar_one()
        equal((user.role, user.is_active, user.email_hash), ("analyst", True, (await session.execute(select(func.stratum.email_hash("ann@north.test")))).scalar()),
              "a user gets its hash and defaults")
        merged = await session.merge(User(id=user.id, tenant_id=1, email="bob@north.test", email_hash=None, password_hash="h", role="admin", preferences=None))
        await session.commit()
        await session.refresh(merged)
        equal(merged.email_hash, (await session.execute(select(func.stratum.email_hash("bob@north.test")))).scalar(), "a merge that sets the hash to NULL fills it again")
        equal((await session.execute(select(AuditLog.action).where(AuditLog.resource_type == "users").order_by(AuditLog.id))).scalars().all(),
              ["create", "update"], "and the trail has both")
        session.add(AuditLog(action="login", resource_type="session"))
        await session.commit()
        entry = (await session.execute(select(AuditLog).where(AuditLog.action == "login"))).scalar_one()
        ok(entry.tenant_id == 1 and entry.created_at is not None and entry.details == {}, "an ORM's login row takes its tenant and time from the context")


async def segments(engine):
    async with for_tenant(engine, 1) as session:
        session.add_all([Profile(canonical_id=uuid.uuid4(), email=f"p{i}@x.test", traits={"ltv": i * 100}) for i in range(10)])
        session.add(Profile(canonical_id=uuid.uuid4(), traits=None))
        segment = Segment(name="rich", conditions={"conditions": [{"field": "trait.ltv", "operator": "gte", "value": 500}]})
        session.add(segment)
        await session.commit()
        equal(tuple((await session.execute(text("SELECT * FROM stratum.refresh_segment(:id)"), {"id": segment.id})).one()), (5, 5, 0), "refresh of a segment")
        await session.commit()
        await session.refresh(segment)
        equal(segment.profile_count, 5, "its count is seen by the ORM")
        try:
            session.add(Segment(name="bad", conditions={"conditions": [{"field": "trait.ltv", "operator": "roughly"}]}))
            await session.commit()
            ok(False, "a bad definition is refused")
        except sa.exc.DBAPIError as error:
            ok(getattr(error.orig, "sqlstate", None) == "22023" and "$.conditions[0].operator" in str(error), "a bad definition is refused with its place")
            await session.rollback()


async def two_tenants(engine):
    """One pooled connection, one prepared statement, two tenants in turn."""
    async with for_tenant(engine, 2) as session:
        session.add(Campaign(platform="meta", external_id="a", account_id="acc", name="South"))
        await session.commit()
    seen = []
    for turn in range(12):
        async with for_tenant(engine, 1 + turn % 2) as session:
            seen.append((await session.execute(select(Campaign.name).where(Campaign.external_id == "a"))).scalars().all())
    equal(seen, [["A3"], ["South"]] * 6, "one prepared statement serves both tenants, each its own rows")
    async with AsyncSession(engine) as session:
        equal((await session.execute(select(Campaign.name))).scalars().all(), [], "the connection comes back from the pool without a tenant")


async def untyped_parameters():
    connection = await asyncpg.connect(host=HOST, user="orm_app", database=DATABASE)
    definition = '{"conditions": [{"field": "trait.a", "operator": "equals", "value": 1}]}'
    equal(await connection.fetchval("SELECT stratum.traits_match($1, $2)", definition, '{"a": 1.0}'), True, "traits_match with untyped parameters")
    equal(await connection.fetchval("SELECT stratum.ctr($1, $2)", 56000, 2800000), 2.0, "metrics with untyped parameters")
    await connection.close()


async def main():
    engine = create_async_engine("postgresql+asyncpg://", pool_size=1, max_overflow=0,
                                 connect_args={"host": HOST, "user": "orm_app", "database": DATABASE})
    for part in (inserts, updates, merges, segments, two_tenants):
        await part(engine)
    await engine.dispose()
    await untyped_parameters()


psql(f"DROP DATABASE IF EXISTS {DATABASE}")
psql(f"CREATE DATABASE {DATABASE}")
psql("CREATE EXTENSION stratum; CREATE ROLE orm_app LOGIN IN ROLE stratum_app;"
     "INSERT INTO stratum.tenants (name, slug) VALUES ('North', 'north'), ('South', 'south')", DATABASE)
try:
    asyncio.run(main())
except Exception as error:  # the plan below says that something is missing
    ok(False, f"{type(error).__name__}: {str(error)[:300]}".replace("\n", " "))
finally:
    psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    psql("DROP ROLE orm_app")
print(f"1..{count}")
sys.exit(failed != 0)
