/*
 * fuzz.h
 *	  What the files of the fuzzer share; see README.md in test/deep.
 */
#ifndef STRATUM_FUZZ_H
#define STRATUM_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of libFuzzer. */
extern int	LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback) (const uint8_t *data, size_t size));
extern size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
extern size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* --- generate.c: chance, and texts of the language --- */

/* A text that grows up to its room; what does not fit is left away. */
typedef struct Text
{
	char	   *at;
	size_t		length;
	size_t		room;
} Text;

extern void fuzz_seed(uint32_t seed);
extern unsigned int fuzz_below(unsigned int n);
extern void fuzz_put(Text *text, const char *string);
extern void fuzz_put_bytes(Text *text, const char *bytes, size_t length);
extern void fuzz_put_key(Text *text);
extern void fuzz_put_value(Text *text, int depth);
extern void fuzz_put_condition(Text *text, int depth);
extern void fuzz_put_definition(Text *text, int depth);
extern void fuzz_put_input(Text *text);

#endif							/* STRATUM_FUZZ_H */
