/*
 * segment_tables.c
 *	  For one field: which alternatives its value leaves alive.
 *
 * The value is looked up once: which of the values that definitions name it is, where among their numbers and
 * their times it lies. Each of these has a row of bits, and a bit is clear if a literal of that alternative
 * is not as it should be for such a value.
 */
#include "segment_set.h"

#include "miscadmin.h"

/* A row is up to 256 bytes. What would need more rows is asked by itself. */
#define MAX_VALUES 16384
#define MAX_LIST 1024

/* A predicate of so many alternatives is asked about every row; one of fewer, when they are alive at the end. */
#define LEAST_SHARED 4

/* Rows, from the first to the last, in which a predicate holds; none where last < first. */
typedef struct Range
{
	int			first;
	int			last;
} Range;

/* --- classes --- */

static bool
is_scalar(const Value *value)
{
	return value->kind < VALUE_ARRAY;
}

static bool
is_scalar_list(const OperandSet *set)
{
	return !set->has_container && set->count <= MAX_LIST;
}

static EntryClass
class_of_order(const Predicate *predicate, bool is_time)
{
	bool		between = predicate->operator == OP_BETWEEN;

	if (is_time)
		return predicate->operand.has_time && (!between || predicate->upper.has_time) ? BY_TIME : BY_ITSELF;
	return predicate->operand.has_number && (!between || predicate->upper.has_number) ? BY_NUMBER : BY_ITSELF;
}

/* What decides a predicate, if its field is there. */
EntryClass
stratum_entry_class(const Program *program, int index)
{
	const Predicate *predicate = &program->predicates[index];
	bool		unknown;
	bool		is_time = stratum_field_is_time(program, predicate->field, &unknown);

	switch (predicate->operator)
	{
		case OP_IS_NULL:
		case OP_IS_NOT_NULL:
			return BY_PRESENCE;
		case OP_EQUALS:
		case OP_NOT_EQUALS:
			return !is_time && !unknown && is_scalar(&predicate->operand.value) ? BY_EQUALITY : BY_ITSELF;
		case OP_IN:
		case OP_NOT_IN:
			return !is_time && !unknown && is_scalar_list(&predicate->set) ? BY_EQUALITY : BY_ITSELF;
		case OP_GREATER_THAN:
		case OP_LESS_THAN:
		case OP_GREATER_OR_EQUAL:
		case OP_LESS_OR_EQUAL:
		case OP_BETWEEN:
			return unknown ? BY_ITSELF : class_of_order(predicate, is_time);
		case OP_BEFORE:
		case OP_AFTER:
		case OP_WITHIN_LAST:
			return BY_TIME;
		default:
			return BY_ITSELF;
	}
}

/* --- rows of bits --- */

static Table *
make_table(int nrows, int nwords)
{
	Table	   *table = palloc(sizeof(Table));
	Size		size = (Size) nrows * nwords * sizeof(Bits);

	table->nrows = nrows;
	table->nwords = nwords;
	table->rows = palloc_extended(size, MCXT_ALLOC_HUGE);
	memset(table->rows, 0xFF, size);
	return table;
}

static inline Bits *
row_of(const Table *table, int row)
{
	return table->rows + (Size) row * table->nwords;
}

/* Says of a class of values whether the predicate of an entry holds for it. */
static inline void
put_truth(Table *table, int row, const Entry *entry, bool holds)
{
	if (holds != entry->literal.holds)
		row_of(table, row)[entry->alternative / BITS_PER_WORD] &=
			~(UINT64CONST(1) << (entry->alternative % BITS_PER_WORD));
}

static void
put_range(Table *table, const Entry *entry, Range range)
{
	CHECK_FOR_INTERRUPTS();
	for (int row = 0; row < table->nrows; row++)
		put_truth(table, row, entry, row >= range.first && row <= range.last);
}

static inline void
narrow(Bits *alive, const Table *table, int row, int nwords)
{
	const Bits *bits = row_of(table, row);

	for (int i = 0; i < nwords; i++)
		alive[i] &= bits[i];
}

/* --- equality --- */

static int
count_values(const Predicate *predicate)
{
	return predicate->operator == OP_IN || predicate->operator == OP_NOT_IN ? predicate->set.count : 1;
}

static const Operand *
nth_value(const Predicate *predicate, int i)
{
	return predicate->operator == OP_IN || predicate->operator == OP_NOT_IN ?
		&predicate->set.operands[i] : &predicate->operand;
}

static void
put_equality(FieldTables *tables, const Predicate *predicate, const Entry *entry, bool *named)
{
	bool		if_named = predicate->operator == OP_EQUALS || predicate->operator == OP_IN;

	CHECK_FOR_INTERRUPTS();
	memset(named, 0, tables->values.count);
	for (int i = 0; i < count_values(predicate); i++)
	{
		int			at = stratum_set_find(&tables->values, &nth_value(predicate, i)->value);

		if (at >= 0)
			named[at] = true;
	}
	put_truth(tables->equality, 0, entry, !if_named);
	for (int i = 0; i < tables->values.count; i++)
		put_truth(tables->equality, i + 1, entry, named[i] == if_named);
}

static void
make_equality(const Program *program, FieldTables *tables, int nwords, const Entry *entries, int count)
{
	int			total = 0;
	bool	   *named;

	for (int i = 0; i < count; i++)
		total += count_values(&program->predicates[entries[i].literal.predicate]);
	stratum_set_init(&tables->values, total);
	for (int i = 0; i < count; i++)
	{
		const Predicate *predicate = &program->predicates[entries[i].literal.predicate];

		for (int j = 0; j < count_values(predicate); j++)
		{
			const Operand *operand = nth_value(predicate, j);

			if (operand->value.kind > VALUE_NULL && stratum_set_find(&tables->values, &operand->value) < 0)
				stratum_set_add(&tables->values, operand);
		}
	}
	named = palloc(tables->values.count + 1);
	tables->equality = make_table(tables->values.count + 1, nwords);
	for (int i = 0; i < count; i++)
		put_equality(tables, &program->predicates[entries[i].literal.predicate], &entries[i], named);
	pfree(named);
}

/* --- numbers --- */

/* In the order of the numbers, but for the same key of numbers that begin with the same digits. */
static int64
number_key(const Number *number)
{
	uint64		key = 0;

	if (number->sign == 0)
		return 0;
	for (int i = 0; i < 3; i++)
		key = key << 14 | (i < number->ndigits ? number->digits[i] : 0);
	key |= (uint64) (number->weight - PG_INT16_MIN) << 42;
	return number->sign > 0 ? (int64) key + 1 : -(int64) key - 1;
}

static int
compare_numbers(const void *a, const void *b)
{
	return stratum_number_compare(a, b);
}

/* Sorted, without repetition. */
static void
collect_numbers(const Program *program, FieldTables *tables, const Entry *entries, int count)
{
	Number	   *numbers = palloc_extended(2 * count * sizeof(Number), MCXT_ALLOC_HUGE);
	int			total = 0;
	int			distinct = 0;

	for (int i = 0; i < count; i++)
	{
		const Predicate *predicate = &program->predicates[entries[i].literal.predicate];

		numbers[total++] = predicate->operand.number;
		if (predicate->operator == OP_BETWEEN)
			numbers[total++] = predicate->upper.number;
	}
	qsort(numbers, total, sizeof(Number), compare_numbers);
	for (int i = 0; i < total; i++)
	{
		if (distinct == 0 || stratum_number_compare(&numbers[distinct - 1], &numbers[i]) != 0)
			numbers[distinct++] = numbers[i];
	}
	tables->numbers = numbers;
	tables->nnumbers = distinct;
	tables->keys = palloc(distinct * sizeof(int64));
	for (int i = 0; i < distinct; i++)
		tables->keys[i] = number_key(&numbers[i]);
}

/* The row of a number. */
static int
number_row(const FieldTables *tables, const Number *number)
{
	int64		key = number_key(number);
	int			low = 0;
	int			high = tables->nnumbers;
	int			order = -1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (tables->keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	while (low < tables->nnumbers && tables->keys[low] == key &&
		   (order = stratum_number_compare(&tables->numbers[low], number)) < 0)
		low++;
	return 2 * low + (low < tables->nnumbers && order == 0);
}

static Range
number_range(const FieldTables *tables, const Predicate *predicate)
{
	int			last = 2 * tables->nnumbers;
	int			at = number_row(tables, &predicate->operand.number);

	switch (predicate->operator)
	{
		case OP_GREATER_THAN:
			return (Range) {at + 1, last};
		case OP_LESS_THAN:
			return (Range) {0, at - 1};
		case OP_GREATER_OR_EQUAL:
			return (Range) {at, last};
		case OP_LESS_OR_EQUAL:
			return (Range) {0, at};
		default:				/* between */
			return (Range) {at, number_row(tables, &predicate->upper.number)};
	}
}

static void
make_order(const Program *program, FieldTables *tables, int nwords, const Entry *entries, int count)
{
	collect_numbers(program, tables, entries, count);
	tables->order = make_table(2 * tables->nnumbers + 2, nwords);
	for (int i = 0; i < count; i++)
		put_range(tables->order, &entries[i],
				  number_range(tables, &program->predicates[entries[i].literal.predicate]));
}

static int
order_row(const FieldTables *tables, const Value *value)
{
	int16		digits[NUMBER_ROOM];
	Number		number;

	if (value->kind == VALUE_NUMBER)
		return number_row(tables, &value->of.number);
	if (value->kind == VALUE_STRING &&
		stratum_number_from_string(value->of.string, value->length, digits, &number))
		return number_row(tables, &number);
	return tables->order->nrows - 1;
}

/* --- times --- */

/* The first and the last time for which the predicate holds. */
static void
time_span(const Predicate *predicate, TimestampTz now, TimestampTz *first, TimestampTz *last)
{
	TimestampTz time = predicate->operand.time;

	*first = PG_INT64_MIN;
	*last = PG_INT64_MAX;
	switch (predicate->operator)
	{
		case OP_BEFORE:
		case OP_LESS_THAN:
			*last = time - 1;
			break;
		case OP_LESS_OR_EQUAL:
			*last = time;
			break;
		case OP_AFTER:
		case OP_GREATER_THAN:
			*first = time + 1;
			break;
		case OP_GREATER_OR_EQUAL:
			*first = time;
			break;
		case OP_WITHIN_LAST:
			*first = stratum_time_ago(now, predicate->window);
			*last = now;
			break;
		default:				/* between */
			*first = time;
			*last = predicate->upper.time;
			break;
	}
}

static int
compare_times(const void *a, const void *b)
{
	TimestampTz x = *(const TimestampTz *) a;
	TimestampTz y = *(const TimestampTz *) b;

	return (x > y) - (x < y);
}

/* The row of a time: how many of the times are not after it. */
static int
time_row(const FieldTables *tables, TimestampTz time)
{
	int			low = 0;
	int			high = tables->ntimes;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (tables->times[middle] <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The times at which a predicate begins or ceases to hold, ascending. */
static void
collect_times(const Program *program, FieldTables *tables, TimestampTz now)
{
	tables->ntimes = 0;
	for (int i = 0; i < tables->nentries; i++)
	{
		TimestampTz first,
					last;

		time_span(&program->predicates[tables->entries[i].literal.predicate], now, &first, &last);
		tables->times[tables->ntimes++] = first;
		if (last < PG_INT64_MAX)
			tables->times[tables->ntimes++] = last + 1;
	}
	qsort(tables->times, tables->ntimes, sizeof(TimestampTz), compare_times);
}

/* Some times move with the transaction's, so this is done anew in each. */
static void
fill_times(const Program *program, FieldTables *tables, TimestampTz now)
{
	Table	   *table = tables->time;

	collect_times(program, tables, now);
	tables->now = now;
	memset(table->rows, 0xFF, (Size) table->nrows * table->nwords * sizeof(Bits));
	for (int i = 0; i < tables->nentries; i++)
	{
		TimestampTz first,
					last;
		Range		range;

		time_span(&program->predicates[tables->entries[i].literal.predicate], now, &first, &last);
		range = (Range) {time_row(tables, first), time_row(tables, last)};
		if (first > last)
			range = (Range) {0, -1};
		put_range(table, &tables->entries[i], range);
	}
}

static void
make_times(FieldTables *tables, int nwords, const Entry *entries, int count)
{
	tables->entries = palloc(count * sizeof(Entry));
	memcpy(tables->entries, entries, count * sizeof(Entry));
	tables->nentries = count;
	tables->times = palloc(2 * count * sizeof(TimestampTz));
	/* the last row is for what is no time */
	tables->time = make_table(2 * count + 2, nwords);
	tables->now = DT_NOBEGIN;
}

static int
row_by_time(const FieldTables *tables, const Value *value)
{
	TimestampTz time;

	if (value->kind == VALUE_TIME)
		return time_row(tables, value->of.time);
	if (value->kind == VALUE_STRING && stratum_time_from_string(value->of.string, value->length, &time))
		return time_row(tables, time);
	return tables->time->nrows - 1;
}

/* --- predicates that have to be asked --- */

static int
compare_predicates(const void *a, const void *b)
{
	const Entry *x = *(const Entry *const *) a;
	const Entry *y = *(const Entry *const *) b;

	if (x->literal.predicate != y->literal.predicate)
		return x->literal.predicate < y->literal.predicate ? -1 : 1;
	return (x > y) - (x < y);
}

static void
add_shared(FieldTables *tables, int nwords, const Entry **entries, int count)
{
	SharedPredicate *shared = &tables->shared[tables->nshared++];

	shared->predicate = entries[0]->literal.predicate;
	shared->answers = make_table(2, nwords);
	for (int i = 0; i < count; i++)
	{
		put_truth(shared->answers, 0, entries[i], false);
		put_truth(shared->answers, 1, entries[i], true);
	}
}

/* Of what is not decided yet, the predicates that several entries share. */
static void
make_shared(FieldTables *tables, int nwords, const Entry *entries, int count, bool *decided)
{
	const Entry **open = palloc_extended(count * sizeof(Entry *), MCXT_ALLOC_HUGE);
	int			nopen = 0;
	int			end;

	for (int i = 0; i < count; i++)
	{
		if (!decided[i])
			open[nopen++] = &entries[i];
	}
	qsort(open, nopen, sizeof(Entry *), compare_predicates);
	tables->shared = palloc_extended((nopen / LEAST_SHARED + 1) * sizeof(SharedPredicate), MCXT_ALLOC_HUGE);
	for (int start = 0; start < nopen; start = end)
	{
		for (end = start + 1;
			 end < nopen && open[end]->literal.predicate == open[start]->literal.predicate;)
			end++;
		if (end - start < LEAST_SHARED)
			continue;
		add_shared(tables, nwords, open + start, end - start);
		for (int i = start; i < end; i++)
			decided[open[i] - entries] = true;
	}
	pfree(open);
}

/* --- all of a field --- */

/* Entries of one class; no more than there is room for in a table. */
static int
select_entries(const Program *program, const Entry *entries, int count, EntryClass class, Entry *chosen,
			   bool *decided)
{
	int			nchosen = 0;
	int			nvalues = 0;

	for (int i = 0; i < count; i++)
	{
		const Predicate *predicate = &program->predicates[entries[i].literal.predicate];

		if (stratum_entry_class(program, entries[i].literal.predicate) != class)
			continue;
		nvalues += class == BY_EQUALITY ? count_values(predicate) : 2;
		if (nvalues > MAX_VALUES)
			break;
		chosen[nchosen++] = entries[i];
		decided[i] = true;
	}
	return nchosen;
}

/* A missing field makes every predicate false but is_null. */
static void
make_missing(const Program *program, FieldTables *tables, int nwords, const Entry *entries, int count)
{
	tables->missing = make_table(1, nwords);
	for (int i = 0; i < count; i++)
		put_truth(tables->missing, 0, &entries[i],
				  program->predicates[entries[i].literal.predicate].operator == OP_IS_NULL);
}

static void
make_present(const Program *program, FieldTables *tables, int nwords, const Entry *entries, int count)
{
	tables->present = make_table(1, nwords);
	for (int i = 0; i < count; i++)
		put_truth(tables->present, 0, &entries[i],
				  program->predicates[entries[i].literal.predicate].operator == OP_IS_NOT_NULL);
}

/*
 * The tables of a field, from all literals about it, in the current memory context; notes which of them need
 * not be asked any more. NULL if that is none.
 */
FieldTables *
stratum_tables_create(const Program *program, int field, int nwords, const Entry *entries, int count,
					  bool *decided)
{
	FieldTables *tables = palloc0(sizeof(FieldTables));
	Entry	   *chosen = palloc_extended(count * sizeof(Entry), MCXT_ALLOC_HUGE);
	int			n;

	tables->field = field;
	if ((n = select_entries(program, entries, count, BY_PRESENCE, chosen, decided)) > 0)
		make_present(program, tables, nwords, chosen, n);
	if ((n = select_entries(program, entries, count, BY_EQUALITY, chosen, decided)) > 0)
		make_equality(program, tables, nwords, chosen, n);
	if ((n = select_entries(program, entries, count, BY_NUMBER, chosen, decided)) > 0)
		make_order(program, tables, nwords, chosen, n);
	if ((n = select_entries(program, entries, count, BY_TIME, chosen, decided)) > 0)
		make_times(tables, nwords, chosen, n);
	pfree(chosen);
	make_shared(tables, nwords, entries, count, decided);
	if (!tables->present && !tables->equality && !tables->order && !tables->time && tables->nshared == 0)
	{
		pfree(tables);
		return NULL;
	}
	make_missing(program, tables, nwords, entries, count);
	return tables;
}

/* Takes from the alternatives alive those that the row's value rules out. */
void
stratum_tables_narrow(Program *program, FieldTables *tables, Bits *alive, int nwords)
{
	const Value *value = stratum_program_value(program, tables->field);

	if (value->kind <= VALUE_NULL)
	{
		narrow(alive, tables->missing, 0, nwords);
		return;
	}
	if (tables->present != NULL)
		narrow(alive, tables->present, 0, nwords);
	if (tables->equality != NULL)
		narrow(alive, tables->equality, stratum_set_find(&tables->values, value) + 1, nwords);
	if (tables->order != NULL)
		narrow(alive, tables->order, order_row(tables, value), nwords);
	if (tables->time != NULL)
	{
		if (tables->now != program->row.now)
			fill_times(program, tables, program->row.now);
		narrow(alive, tables->time, row_by_time(tables, value), nwords);
	}
	for (int i = 0; i < tables->nshared; i++)
		narrow(alive, tables->shared[i].answers,
			   stratum_program_holds(program, tables->shared[i].predicate), nwords);
}
