#ifndef FLORIN_CCURL_SHIM_H
#define FLORIN_CCURL_SHIM_H
#include <curl/curl.h>

// Swift imports no variadic function; each of these passes one kind of value.
static inline CURLcode florin_curl_set_number(CURL *handle, CURLoption option, long value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode florin_curl_set_text(CURL *handle, CURLoption option, char const *value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode florin_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode florin_curl_set_context(CURL *handle, CURLoption option, void *value) { return curl_easy_setopt(handle, option, value); }

static inline CURLcode florin_curl_set_read(CURL *handle, curl_read_callback value) { return curl_easy_setopt(handle, CURLOPT_READFUNCTION, value); }

static inline CURLcode florin_curl_set_header(CURL *handle, curl_write_callback value) { return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, value); }

static inline CURLcode florin_curl_set_debug(CURL *handle, curl_debug_callback value) { return curl_easy_setopt(handle, CURLOPT_DEBUGFUNCTION, value); }

static inline CURLcode florin_curl_active_socket(CURL *handle, curl_socket_t *value) { return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, value); }

static inline CURLcode florin_curl_connects(CURL *handle, long *value) { return curl_easy_getinfo(handle, CURLINFO_NUM_CONNECTS, value); }
#endif
