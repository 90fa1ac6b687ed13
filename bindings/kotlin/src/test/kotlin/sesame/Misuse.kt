package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import org.junit.jupiter.api.DynamicTest
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue

/** A user id that is one byte too long. */
val LONG = "x".repeat(Limits.MAX_USER_ID + 1)
val TEXT = "x".encodeToByteString()
val BOB = listOf("bob")
val ALICE = listOf("alice")

fun bytes(size: Int) = ByteString(ByteArray(size))

/**
 * Ways to hold it wrongly, as rows of a table: the call, the mistake, what the user sees. None of them is silence, a crash or an endless loop.
 */
class Misuse {
    val rows = mutableListOf<DynamicTest>()

    private fun test(
        call: String,
        mistake: String,
        act: (World) -> Unit,
    ) {
        rows += DynamicTest.dynamicTest("$call, $mistake") { act(World()) }
    }

    /** The mistake throws this code, and its text names it. */
    fun row(
        call: String,
        mistake: String,
        code: Code,
        act: (World) -> Any?,
    ) = test(call, mistake) { world ->
        val error = assertFailsWith<SesameException> { act(world) }
        assertEquals(code, error.code, "$error")
        assertTrue("$error".startsWith("${code.name} (${code.value}): "), "$error")
        println("| $call | $mistake | $error |")
    }

    /** The mistake is no error, and the user sees something else. */
    fun shows(
        call: String,
        mistake: String,
        what: String,
        holds: (World) -> Boolean,
    ) = test(call, mistake) { world ->
        assertTrue(holds(world), "not $what")
        println("| $call | $mistake | $what |")
    }
}
