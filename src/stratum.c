/*
 * stratum.c
 *	  The library's entry: module magic, settings, version.
 */
#include "audit.h"
#include "sha256.h"

#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* The install and update scripts read these two through current_setting(). */
static bool restoring = false;
static bool allow_data_loss = false;

/* Seconds between reports of long work; 0 for none. */
int			stratum_progress_interval = 10;

/* Plans are made anew when a session enters another tenant than before. */
bool		stratum_reset_plans_on_enter = false;

void
_PG_init(void)
{
	DefineCustomBoolVariable("stratum.restoring",
							 "CREATE EXTENSION stratum creates no storage, because a dump brings it.",
							 "Not needed with pg_dump and pg_restore, which are recognised.",
							 &restoring, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("stratum.allow_data_loss",
							 "A downgrade of the extension may drop what the older version cannot hold.",
							 NULL,
							 &allow_data_loss, false, PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("stratum.progress_interval",
							"Time between the notices in which long work says how far it is; 0 turns them off.",
							NULL,
							&stratum_progress_interval, 10, 0, 3600, PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomBoolVariable("stratum.reset_plans_on_enter",
							 "Cached plans of the session are made anew when it enters another tenant than before.",
							 "For tenants of very different size: a statement without parameters keeps the plan of the first.",
							 &stratum_reset_plans_on_enter, false, PGC_USERSET, 0, NULL, NULL, NULL);
	stratum_define_context();
	stratum_define_audit();
	stratum_sha256_choose();
	MarkGUCPrefixReserved("stratum");
}

/*
 * library_version() -> text: the version that the loaded library was built as. check_install()
 * compares it with the extension's, since the two files can be installed apart.
 */
PG_FUNCTION_INFO_V1(stratum_library_version);
Datum
stratum_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(STRATUM_VERSION));
}

/*
 * in_extension_script() -> boolean: whether an install or update script runs. A GRANT there is
 * taken for the extension's own and left out of dumps, so install() must know.
 */
PG_FUNCTION_INFO_V1(stratum_in_extension_script);
Datum
stratum_in_extension_script(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(creating_extension);
}
