# stratum: see `make help`.

EXTENSION    = stratum
MODULE_big   = stratum
# The control file is the one place that knows the version.
EXTVERSION   = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" stratum.control)

# --- library -----------------------------------------------------------------------------------
OBJS         = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PG_CPPFLAGS  = -DSTRATUM_VERSION='"$(EXTVERSION)"'
# Nothing leaves the library but what PostgreSQL looks up by name. Functions that SQL calls have a
# parameter that not all of them need.
PG_CFLAGS    = -fvisibility=hidden -Wall -Wextra -Wno-unused-parameter

# --- SQL ---------------------------------------------------------------------------------------
# Committed, frozen at each release, so it is DATA: `make clean` must not delete it.
DATA         = $(wildcard sql/stratum--*.sql)
# The version before: the last install script that is frozen, but for the one being written.
PREVIOUS     = $(shell sed -n 's/.* stratum--\([0-9.]*\)\.sql$$/\1/p' sql/frozen.sha256 | grep -vxF '$(EXTVERSION)' | tail -n 1)
SQL_PARTS    = $(addprefix sql/,$(shell sed -e "s/\#.*//" sql/order))

# --- tests -------------------------------------------------------------------------------------
REGRESS      = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --outputdir=test
ISOLATION    = $(patsubst test/specs/%.spec,%,$(sort $(wildcard test/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test --outputdir=test/output_iso --load-extension=stratum

EXTRA_CLEAN  = test/results test/output_iso test/regression.diffs test/regression.out

PG_CONFIG   ?= pg_config
PG_MAJOR    := $(shell $(PG_CONFIG) --version 2>/dev/null | sed 's/^PostgreSQL \([0-9]*\).*/\1/')
ifeq ($(PG_MAJOR),)
$(error stratum needs the pg_config of PostgreSQL 15 or later: make PG_CONFIG=/path/to/pg_config)
endif
ifeq ($(shell test $(PG_MAJOR) -ge 15 && echo yes),)
$(error stratum needs PostgreSQL 15 or later; $(PG_CONFIG) belongs to PostgreSQL $(PG_MAJOR))
endif
PGXS        := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(OBJS): $(wildcard src/*.h) stratum.control

# Joins the parts into the install script of the version that is being written, and derives the update scripts from
# and to the version before. Not part of `all`: a released script is frozen, and only who means to writes one.
.PHONY: sql
sql:
	@cat $(SQL_PARTS) >/dev/null
	@{ printf '%s\n' '\echo Use "CREATE EXTENSION stratum" to load this file. \quit'; \
	   for part in $(SQL_PARTS); do printf '\n-- ==== %s\n' "$$part"; cat "$$part"; done; \
	 } > sql/stratum--$(EXTVERSION).sql
	@perl bin/build-updates $(PREVIOUS) $(EXTVERSION)

.PHONY: help
help:
	@echo 'make                 build the library for the server of PG_CONFIG (default: pg_config)'
	@echo 'make install         install it there'
	@echo 'make installcheck    regression and isolation tests against a running server'
	@echo 'make sql             join sql/parts and sql/tables into sql/stratum--$(EXTVERSION).sql and derive the update scripts'
	@echo 'bin/demo             a tour on a private server'
	@echo 'bin/test             every test, on a private server'
