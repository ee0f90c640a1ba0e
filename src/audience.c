/*
 * audience.c
 *	  Identifiers as the advertising platforms match them.
 *
 * Every platform publishes what it does to an identifier before it compares, and a list that was
 * normalised differently matches nobody. All these rules are in one table; the normalisers are in
 * audience_normalize.c.
 */
#include "hash.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct Rule
{
	const char *platform;
	const char *identifier;
	Normalizer	normalize;
	bool		hashed;			/* or uploaded in clear */
} Rule;

/* The platforms one after the other, in the order of the enum's labels. */
static const Rule rules[] = {
	/* Meta: customer information parameters, custom audiences */
	{"meta", "email", stratum_lower_ascii, true},
	{"meta", "phone", stratum_phone_digits, true},
	{"meta", "first_name", stratum_name_joined, true},
	{"meta", "last_name", stratum_name_joined, true},
	{"meta", "city", stratum_name_joined, true},
	{"meta", "state", stratum_us_state, true},
	{"meta", "zip", stratum_zip, true},
	{"meta", "country", stratum_country_lower, true},
	{"meta", "external_id", stratum_as_written, true},
	{"meta", "date_of_birth", stratum_date_of_birth, true},
	{"meta", "gender", stratum_gender, true},
	{"meta", "mobile_ad_id", stratum_mobile_ad_id_lower, false},
	/* Google: Customer Match, enhanced conversions, Data Manager API */
	{"google", "email", stratum_email_google, true},
	{"google", "phone", stratum_phone_e164, true},
	{"google", "first_name", stratum_name_spaced, true},
	{"google", "last_name", stratum_name_plain, true},
	{"google", "city", stratum_as_written, false},
	{"google", "state", stratum_as_written, false},
	{"google", "zip", stratum_as_written, false},
	{"google", "country", stratum_country_upper, false},
	{"google", "external_id", stratum_as_written, false},
	{"google", "mobile_ad_id", stratum_mobile_ad_id, false},
	/* TikTok: customer file, Events API */
	{"tiktok", "email", stratum_email_tiktok, true},
	{"tiktok", "phone", stratum_phone_e164, true},
	{"tiktok", "first_name", stratum_name_plain, true},
	{"tiktok", "last_name", stratum_name_plain, true},
	{"tiktok", "city", stratum_name_joined, false},
	{"tiktok", "state", stratum_us_state, false},
	{"tiktok", "zip", stratum_zip, true},
	{"tiktok", "country", stratum_country_lower, false},
	{"tiktok", "external_id", stratum_as_written, true},
	{"tiktok", "mobile_ad_id", stratum_mobile_ad_id_lower, true},
	/* Snapchat: customer lists, Conversions API */
	{"snapchat", "email", stratum_lower_ascii, true},
	{"snapchat", "phone", stratum_phone_digits, true},
	{"snapchat", "first_name", stratum_name_plain, true},
	{"snapchat", "last_name", stratum_name_plain, true},
	{"snapchat", "city", stratum_name_joined, true},
	{"snapchat", "state", stratum_us_state, true},
	{"snapchat", "zip", stratum_zip, true},
	{"snapchat", "country", stratum_country_lower, true},
	{"snapchat", "external_id", stratum_as_written, true},
	{"snapchat", "date_of_birth", stratum_date_of_birth, true},
	{"snapchat", "gender", stratum_gender, true},
	{"snapchat", "mobile_ad_id", stratum_mobile_ad_id_lower, true},
};

static bool
text_is(const text *value, const char *word)
{
	Size		length = VARSIZE_ANY_EXHDR(value);

	return length == strlen(word) && memcmp(VARDATA_ANY(value), word, length) == 0;
}

static void
refuse_platform(const text *platform)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < (int) lengthof(rules); i++)
	{
		if (i == 0 || strcmp(rules[i].platform, rules[i - 1].platform) != 0)
			appendStringInfo(&known, "%s%s", i == 0 ? "" : ", ", rules[i].platform);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no matching rules for platform \"%s\"", text_to_cstring(platform)),
			 errhint("Platforms with matching rules are: %s.", known.data)));
}

static void
refuse_identifier(const char *platform, const text *identifier)
{
	StringInfoData known;

	initStringInfo(&known);
	for (int i = 0; i < (int) lengthof(rules); i++)
	{
		if (strcmp(rules[i].platform, platform) == 0)
			appendStringInfo(&known, "%s%s", known.len == 0 ? "" : ", ", rules[i].identifier);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("platform \"%s\" does not match by identifier type \"%s\"",
					platform, text_to_cstring(identifier)),
			 errhint("Identifier types of %s are: %s.", platform, known.data)));
}

static const Rule *
find_rule(const text *platform, const text *identifier)
{
	const char *found = NULL;

	for (int i = 0; i < (int) lengthof(rules); i++)
	{
		if (!text_is(platform, rules[i].platform))
			continue;
		found = rules[i].platform;
		if (text_is(identifier, rules[i].identifier))
			return &rules[i];
	}
	if (found == NULL)
		refuse_platform(platform);
	refuse_identifier(found, identifier);
	return NULL;				/* keep compilers quiet */
}

/* The value without blanks at its ends, in UTF-8. */
static Span
utf8_value(const text *value)
{
	Span		span = stratum_trim((const unsigned char *) VARDATA_ANY(value),
									VARSIZE_ANY_EXHDR(value));

	if (span.length > 0 && stratum_must_convert())
	{
		char	   *utf8 = pg_server_to_any((char *) span.bytes, (int) span.length, PG_UTF8);

		if (utf8 != (char *) span.bytes)
		{
			span.bytes = (unsigned char *) utf8;
			span.length = strlen(utf8);
		}
	}
	return span;
}

/* A text in the server encoding again. */
static text *
server_text(const unsigned char *utf8, Size length)
{
	char	   *server = (char *) utf8;

	if (stratum_must_convert())
	{
		server = pg_any_to_server(server, (int) length, PG_UTF8);
		if (server != (char *) utf8)
			length = strlen(server);
	}
	return cstring_to_text_with_len(server, (int) length);
}

/*
 * audience_hash(platform, identifier_type, value) -> text: the value in the form that the platform
 * matches on, hashed with SHA-256 where the platform wants it hashed. NULL if nothing of the value
 * can be matched.
 */
PG_FUNCTION_INFO_V1(stratum_audience_hash);
Datum
stratum_audience_hash(PG_FUNCTION_ARGS)
{
	const Rule *rule = find_rule(PG_GETARG_TEXT_PP(0), PG_GETARG_TEXT_PP(1));
	Span		value = utf8_value(PG_GETARG_TEXT_PP(2));
	unsigned char *out;
	Size		length;
	text	   *result;

	if (value.length == 0)
		PG_RETURN_NULL();
	out = MemoryContextAllocHuge(CurrentMemoryContext, value.length + 1);
	length = rule->normalize(value.bytes, value.length, out);
	if (length == 0)
		PG_RETURN_NULL();
	result = rule->hashed ? stratum_sha256_hex(out, length) : server_text(out, length);
	pfree(out);
	PG_RETURN_TEXT_P(result);
}
