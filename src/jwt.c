/*
 * jwt.c
 *	  Entering a tenant with a signed token: enter_jwt().
 *
 * A JSON Web Token in its compact form, signed with HMAC-SHA-256 ("alg": "HS256") and a key from
 * stratum.jwt_keys, and nothing else of all that the standards allow. What the token says is looked at
 * after its signature has been found right, but for its header, which names the key. No message shows
 * any part of a token.
 */
#include "kept_plan.h"

#include "catalog/pg_type.h"
#include "common/hmac.h"
#include "common/jsonapi.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#define MAX_TOKEN 8192
/* Digits of the ids that a token may name: they fit into 64 bits. */
#define MAX_ID_DIGITS 18

/* SQLSTATEs for what PostgreSQL has no name for: class 28, invalid authorization. */
#define ERRCODE_TOKEN_EXPIRED MAKE_SQLSTATE('2', '8', 'S', '0', '1')
#define ERRCODE_TOKEN_NOT_YET_VALID MAKE_SQLSTATE('2', '8', 'S', '0', '2')
#define ERRCODE_TOKEN_WRONG_AUDIENCE MAKE_SQLSTATE('2', '8', 'S', '0', '3')

/* A part of the token, or the bytes that it stands for. */
typedef struct Part
{
	const char *bytes;
	int			length;
} Part;

typedef struct Token
{
	Part		header;
	Part		payload;
	Part		signature;
	Part		signed_part;	/* header and payload, with the dot between */
} Token;

typedef struct Key
{
	bytea	   *secret;
	text	   *audience;
} Key;

static void
refuse_malformed(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("the token is malformed"),
			 errdetail("%s", what)));
}

static void
refuse_claim(const char *claim, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("claim \"%s\" of the token %s", claim, what)));
}

/* --- the compact form: three parts in base64url, with dots between --- */

/* Up to the next dot, or the end if it is the last part; moves *at behind it. */
static Part
next_part(const char **at, const char *end, bool is_last)
{
	Part		part = {*at, 0};

	while (*at < end && **at != '.')
		(*at)++;
	part.length = *at - part.bytes;
	if (part.length == 0 || (*at == end) != is_last)
		refuse_malformed("It must have three parts with dots between.");
	(*at)++;
	return part;
}

static Token
split(const text *token)
{
	const char *at = VARDATA_ANY(token);
	const char *end = at + VARSIZE_ANY_EXHDR(token);
	Token		result;

	result.header = next_part(&at, end, false);
	result.payload = next_part(&at, end, false);
	result.signature = next_part(&at, end, true);
	result.signed_part.bytes = result.header.bytes;
	result.signed_part.length = result.payload.bytes + result.payload.length - result.header.bytes;
	return result;
}

/* What a character of base64url is worth; -1 for any other. */
static int
sextet(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/*
 * The bytes that a part stands for, with a zero behind them. Without padding, and bits that stand for
 * nothing must be 0: there is one way to write a token.
 */
static Part
decode(Part part)
{
	char	   *bytes = palloc(part.length + 1);
	int			length = 0, nbits = 0;
	uint32		bits = 0;

	for (int i = 0; i < part.length; i++)
	{
		int			value = sextet(part.bytes[i]);

		if (value < 0)
			refuse_malformed("Its parts must be base64url without padding.");
		bits = (bits << 6) | value;
		nbits += 6;
		if (nbits >= 8)
		{
			nbits -= 8;
			bytes[length++] = (char) (bits >> nbits);
			bits &= (1 << nbits) - 1;
		}
	}
	if (nbits == 6 || bits != 0)
		refuse_malformed("Its parts must be base64url without padding.");
	bytes[length] = '\0';
	return (Part) {bytes, length};
}

/* --- its JSON --- */

static bool
is_in_encoding(Part json)
{
	if (GetDatabaseEncoding() == PG_UTF8)
		return pg_verify_mbstr(PG_UTF8, json.bytes, json.length, true);
	for (int i = 0; i < json.length; i++)
	{
		if (json.bytes[i] == '\0' || IS_HIGHBIT_SET(json.bytes[i]))
			return false;
	}
	return true;
}

/* Asked first whether it is JSON that jsonb takes, because the message of jsonb_in() would show it. */
static Jsonb *
parse_object(Part json, const char *what)
{
	Jsonb	   *result = NULL;
	JsonLexContext *lexer;

	if (is_in_encoding(json))
	{
		lexer = stratum_json_lexer(json.bytes, json.length);
		if (pg_parse_json(lexer, &nullSemAction) == JSON_SUCCESS &&
			stratum_json_is_safe(cstring_to_text_with_len(json.bytes, json.length)))
			result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json.bytes)));
	}
	if (result == NULL || !JB_ROOT_IS_OBJECT(result))
		refuse_malformed(what);
	return result;
}

static JsonbValue *
find(Jsonb *object, const char *name)
{
	return getKeyJsonValueFromContainer(&object->root, name, strlen(name), NULL);
}

static bool
is_string(const JsonbValue *value, const char *string, int length)
{
	return value != NULL && value->type == jbvString && value->val.string.len == length &&
		memcmp(value->val.string.val, string, length) == 0;
}

/* --- header, key and signature --- */

/* The name of the key. HS256 is the only algorithm: "none" least of all. */
static text *
check_header(Jsonb *header)
{
	JsonbValue *kid = find(header, "kid");

	if (!is_string(find(header, "alg"), "HS256", 5) || find(header, "crit") != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the token is not signed with HS256"),
				 errdetail("\"alg\" must be \"HS256\", and there must be no \"crit\".")));
	if (kid == NULL || kid->type != jbvString)
		refuse_malformed("Its header must have a string \"kid\", the name of the key.");
	return cstring_to_text_with_len(kid->val.string.val, kid->val.string.len);
}

#define READ_KEY \
	"SELECT k.secret, k.audience FROM stratum.jwt_keys k WHERE k.kid OPERATOR(pg_catalog.=) $1" \
	" AND k.valid_from OPERATOR(pg_catalog.<=) $2" \
	" AND (k.valid_until IS NULL OR k.valid_until OPERATOR(pg_catalog.>) $2)"

/* The key of that name, if it is in use now; its parts are NULL if there is none. Inside SPI_connect(). */
static Key
find_key(text *kid, TimestampTz now, MemoryContext context)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[] = {TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {PointerGetDatum(kid), TimestampTzGetDatum(now)};
	bool		isnull;
	Key			key = {NULL, NULL};

	stratum_keep_plan(&plan, READ_KEY, lengthof(types), types);
	if (SPI_execute_plan(plan, values, NULL, true, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not read stratum.jwt_keys");
	if (SPI_processed == 1)
	{
		HeapTuple	row = SPI_tuptable->vals[0];
		MemoryContext caller = MemoryContextSwitchTo(context);

		key.secret = DatumGetByteaPCopy(SPI_getbinval(row, SPI_tuptable->tupdesc, 1, &isnull));
		key.audience = DatumGetTextPCopy(SPI_getbinval(row, SPI_tuptable->tupdesc, 2, &isnull));
		MemoryContextSwitchTo(caller);
	}
	return key;
}

static Key
read_key(text *kid, TimestampTz now)
{
	MemoryContext context = CurrentMemoryContext;
	Key			key;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	key = find_key(kid, now, context);
	SPI_finish();
	if (key.secret == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PASSWORD),
				 errmsg("the token is signed with a key that is not in use"),
				 errhint("stratum.list_jwt_keys() tells an administrator which are.")));
	return key;
}

static void
check_signature(const Token *token, const bytea *secret)
{
	Part		signature = decode(token->signature);
	uint8		expected[PG_SHA256_DIGEST_LENGTH];
	pg_hmac_ctx *hmac = pg_hmac_create(PG_SHA256);

	if (hmac == NULL ||
		pg_hmac_init(hmac, (const uint8 *) VARDATA_ANY(secret), VARSIZE_ANY_EXHDR(secret)) < 0 ||
		pg_hmac_update(hmac, (const uint8 *) token->signed_part.bytes, token->signed_part.length) < 0 ||
		pg_hmac_final(hmac, expected, sizeof(expected)) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not compute HMAC-SHA-256")));
	pg_hmac_free(hmac);
	if (signature.length != sizeof(expected) ||
		!stratum_same_secret((const uint8 *) signature.bytes, expected, sizeof(expected)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PASSWORD),
				 errmsg("the signature of the token is wrong")));
}

/* --- claims --- */

/* A time in seconds since 1970, perhaps with a fraction; false if the claim is not there. */
static bool
read_time(Jsonb *claims, const char *name, double *seconds)
{
	JsonbValue *value = find(claims, name);

	if (value == NULL)
		return false;
	if (value->type != jbvNumeric)
		refuse_claim(name, "must be a number, in seconds since 1970");
	*seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												  NumericGetDatum(value->val.numeric)));
	return true;
}

static void
check_times(Jsonb *claims, TimestampTz now)
{
	double		limit;
	double		seconds = (double) now / USECS_PER_SEC +
		(double) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;

	if (!read_time(claims, "exp", &limit))
		refuse_claim("exp", "is missing");
	if (seconds >= limit)
		ereport(ERROR,
				(errcode(ERRCODE_TOKEN_EXPIRED),
				 errmsg("the token has expired")));
	if (read_time(claims, "nbf", &limit) && seconds < limit)
		ereport(ERROR,
				(errcode(ERRCODE_TOKEN_NOT_YET_VALID),
				 errmsg("the token is not valid yet")));
}

/* "aud" is a string, or an array in which one has to be ours. */
static void
check_audience(Jsonb *claims, const text *audience)
{
	JsonbValue *value = find(claims, "aud");
	const char *ours = VARDATA_ANY(audience);
	int			length = VARSIZE_ANY_EXHDR(audience);
	bool		is_ours = is_string(value, ours, length);

	if (value == NULL)
		refuse_claim("aud", "is missing");
	if (value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data))
	{
		for (uint32 i = 0; i < JsonContainerSize(value->val.binary.data); i++)
			is_ours |= is_string(getIthJsonbValueFromContainer(value->val.binary.data, i), ours, length);
	}
	if (!is_ours)
		ereport(ERROR,
				(errcode(ERRCODE_TOKEN_WRONG_AUDIENCE),
				 errmsg("the token is meant for another audience")));
}

/* A whole number; texts that look like one are refused, for a client that mixes them up is not to be trusted. */
static int64
read_id(const JsonbValue *value, const char *name)
{
	char	   *digits;

	if (value == NULL)
		refuse_claim(name, "is missing");
	if (value->type != jbvNumeric)
		refuse_claim(name, "must be a number");
	digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
	if (strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > MAX_ID_DIGITS)
		refuse_claim(name, "must be a whole number");
	return strtoi64(digits, NULL, 10);
}

/*
 * "tenant_id" and "user_id". A token for no user says so with a null: if a missing claim meant that, a
 * viewer's token without it would open more than one with it.
 */
static bool
read_who(Jsonb *claims, StratumContext *wanted)
{
	JsonbValue *user = find(claims, "user_id");
	bool		has_user = user == NULL || user->type != jbvNull;

	wanted->tenant_id = read_id(find(claims, "tenant_id"), "tenant_id");
	if (has_user)
		wanted->user_id = read_id(user, "user_id");
	return has_user;
}

static const text *
token_argument(FunctionCallInfo fcinfo)
{
	const text *token;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("token must not be null")));
	token = PG_GETARG_TEXT_PP(0);
	if (VARSIZE_ANY_EXHDR(token) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_ZERO_LENGTH_CHARACTER_STRING),
				 errmsg("the token is empty")));
	if (VARSIZE_ANY_EXHDR(token) > MAX_TOKEN)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("the token is longer than %d bytes", MAX_TOKEN)));
	return token;
}

/*
 * enter_jwt(token text, request_id text, ip_address inet, user_agent text)
 *
 * As enter(), for the tenant and user that the token names. SECURITY DEFINER in SQL: nobody may read
 * the keys.
 */
PG_FUNCTION_INFO_V1(stratum_enter_jwt);
Datum
stratum_enter_jwt(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	StratumContext wanted = {0};
	bool		has_user;
	Token		token = split(token_argument(fcinfo));
	text	   *kid = check_header(parse_object(decode(token.header), "Its header must be a JSON object."));
	Key			key = read_key(kid, now);
	Jsonb	   *claims;

	check_signature(&token, key.secret);
	claims = parse_object(decode(token.payload), "Its payload must be a JSON object.");
	check_times(claims, now);
	check_audience(claims, key.audience);
	has_user = read_who(claims, &wanted);

	stratum_read_request(fcinfo, 1, &wanted);
	stratum_keep_to_lock(&wanted, &has_user);
	stratum_act_for(fcinfo, &wanted, has_user, false);
	PG_RETURN_VOID();
}
