/* Keeps the library from being empty. */
extern int test_support_is_linked;
int test_support_is_linked = 1;
