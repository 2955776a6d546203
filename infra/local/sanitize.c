/* What ThreadSanitizer does not know of Swift 6.3 on Linux; linked into the tests by sanitize.sh with --wrap, so that no report needs a
   suppression. */

#include <stdint.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* A Mutex that is contended is taken and left inside libswiftSynchronization, which is not instrumented: what the holder before has
   written would look like a race. The mutex is self. */
#define SELF __attribute__((swift_context)) void *self
#define SWIFT __attribute__((swiftcall))

SWIFT void real_lock(uint32_t thread, SELF) __asm__("__real_$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void real_unlock(SELF) __asm__("__real_$s15Synchronization12_MutexHandleV11_unlockSlowyyF");
SWIFT void wrap_lock(uint32_t thread, SELF) __asm__("__wrap_$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF");
SWIFT void wrap_unlock(SELF) __asm__("__wrap_$s15Synchronization12_MutexHandleV11_unlockSlowyyF");

SWIFT void wrap_lock(uint32_t thread, SELF) {
    real_lock(thread, self);
    __tsan_acquire(self);
}

SWIFT void wrap_unlock(SELF) {
    __tsan_release(self);
    real_unlock(self);
}

/* Swift tells of every inout argument. That of a type without bytes (SystemRandomNumberGenerator) has no address, and the runtime
   crashes on what it is given instead. Loads and stores are seen all the same. */
void __wrap___tsan_external_write(void *address, void *caller, void *tag) {
    (void)address;
    (void)caller;
    (void)tag;
}
