// The JVM jar by Gradle, for who builds with it. Untested: CI builds the jar with Maven (pom.xml), from the same sources.
plugins { kotlin("jvm") version "2.2.21" }

group = "libsesame"
version = "0.1.0"

repositories { mavenCentral() }

kotlin {
    compilerOptions {
        jvmTarget = org.jetbrains.kotlin.gradle.dsl.JvmTarget.JVM_11
        allWarningsAsErrors = true
    }
    sourceSets["main"].kotlin.srcDirs("src/generated", "src/main/kotlin")
}

// The libraries in JNA's layout; `cargo xtask dist kotlin` has laid this machine's there.
sourceSets["main"].resources.srcDir("../../target/dist-hosts/natives")

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-io-bytestring-jvm:0.8.2")
    api("org.jetbrains.kotlinx:kotlinx-coroutines-core:1.10.2")
    implementation("net.java.dev.jna:jna:5.18.1")
}
