// A launch with the Kotlin binding on the JVM: a store and a clock written in Kotlin, a login at a sandbox, a refresh, a new start, a time-out.
// It is what `cargo xtask bindings` compiles and runs; an Android app does the same with Custom Tabs and the Keystore.

import com.sun.net.httpserver.HttpServer
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.smart_on_fhir.AppClock
import org.smart_on_fhir.AppStore
import org.smart_on_fhir.Parameter
import org.smart_on_fhir.SmartClient
import org.smart_on_fhir.SmartException
import org.smart_on_fhir.checkStore

/** Blobs in memory. Looking and writing are one step: a lock is around both. */
class MemoryBlobs : AppStore {
    private val blobs = HashMap<String, ByteArray>()

    override suspend fun get(name: String): ByteArray? = synchronized(blobs) { blobs[name]?.clone() }

    override suspend fun compareAndSwap(name: String, expected: ByteArray?, new: ByteArray?): Boolean = synchronized(blobs) {
        val isSo = blobs[name].contentEquals(expected)
        if (isSo) if (new == null) blobs.remove(name) else blobs[name] = new.clone()
        isSo
    }

    override suspend fun names(): List<String> = synchronized(blobs) { blobs.keys.toList() }
}

class MovedClock(@Volatile var seconds: Long) : AppClock {
    override fun unixSeconds(): Long = seconds
}

fun ensure(holds: Boolean, what: String) {
    check(holds) { "not so: $what" }
    println("ok: $what")
}

suspend fun codeOf(work: suspend () -> Unit): String =
    try {
        work()
        "nothing failed"
    } catch (failed: SmartException.Failed) {
        failed.code
    }

fun main(arguments: Array<String>) = runBlocking {
    val (smart, fhirBase) = arguments
    var arrived: String? = null
    val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
    val origin = "http://127.0.0.1:${server.address.port}"
    server.createContext("/") { exchange ->
        arrived = origin + exchange.requestURI
        val page = "<title>Done</title>".toByteArray()
        exchange.responseHeaders.add("content-type", "text/html")
        exchange.sendResponseHeaders(200, page.size.toLong())
        exchange.responseBody.use { it.write(page) }
    }
    server.start()
    fun visit(url: String): String {
        val person = ProcessBuilder(smart, "sandbox", "visit", url).redirectErrorStream(true).start()
        val told = person.inputStream.readAllBytes().decodeToString()
        check(person.waitFor(60, TimeUnit.SECONDS) && person.exitValue() == 0) { told }
        return checkNotNull(arrived) { told }
    }
    val settings = """{"client_id": "demo-app", "scopes": "launch/patient openid fhirUser offline_access patient/*.rs",
        "fhir_base": "$fhirBase", "redirect_uri": "$origin/callback", "allow_loopback_http": true, "session": {"idle_seconds": 900}}"""
    try {
        val store = MemoryBlobs()
        val clock = MovedClock(System.currentTimeMillis() / 1000)
        ensure(checkStore(store).isEmpty(), "the store keeps its promises")

        val client = SmartClient(settings, store = store, clock = clock)
        val login = client.beginStandalone()
        val callback = visit(login.url())
        ensure(codeOf { client.complete("$origin/callback?code=x&state=guessed") } == "no-pending-login", "a guessed callback is refused")
        val session = login.complete(callback)
        ensure(session.patient() == "p1001", "the record that the person picked is open")
        ensure("p1001" in session.read("Patient", "p1001"), "the patient is read")
        val found = session.search("Observation", listOf(Parameter("patient", "p1001"))).matches(5u)
        ensure(found.size == 5, "observations are found")
        session.refresh()

        val again = SmartClient(settings, store = store, clock = clock)
        val restored = checkNotNull(again.restore(again.sessions().single().key))
        restored.refresh()
        ensure(restored.patient() == "p1001", "after a new start the session is there, and refreshed")

        clock.seconds += 1000
        ensure(codeOf { restored.check() } == "session-over/timed-out", "the app's clock ends it")
        ensure(codeOf { restored.patient() }.startsWith("session-over/"), "and it shows nothing")

        val last = SmartClient(settings, store = store).beginStandalone().let { it.complete(visit(it.url())) }
        val report = last.logout()
        ensure(report.notRevoked == null && report.notWiped == null && store.names().isEmpty(), "logged out")
    } finally {
        server.stop(0)
    }
}
