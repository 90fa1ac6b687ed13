//! The first program in each language, exactly as it is printed: taken from its page, put into an empty project, and run.

use crate::{bindings::target, dist, finish, root, toolchains};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// The message in each program, by which its block is found on a page.
const GREETING: &str = "hello, Bob";
/// What each program prints.
const SAYS: &str = "alice says hello, Bob\n";

/// The first block of a page in a language that holds a text.
fn block(page: &Path, fence: &str, holds: &str) -> Result<String, String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let begins = format!("```{fence}\n");
    let mut blocks = text.split(&begins).skip(1).filter_map(|rest| rest.split("```").next());
    let found = blocks.find(|block| block.contains(holds)).map(str::to_owned);
    found.ok_or_else(|| format!("{} has no {fence} with {holds:?}", page.display()))
}

/// The program that these pages print in a language. All of them must print the same, in at most `lines` lines.
fn printed(fence: &str, pages: &[&str], lines: usize) -> Result<String, String> {
    let (first, others) = pages.split_first().ok_or("no page")?;
    let program = block(&root().join(first), fence, GREETING)?;
    for page in others {
        if block(&root().join(page), fence, GREETING)? != program {
            return Err(format!("{first} and {page} print different programs"));
        }
    }
    let count = program.lines().count();
    if count <= lines { Ok(program) } else { Err(format!("{first}: the program has {count} lines, more than {lines}")) }
}

/// The commands that a package's page says to type, block by block.
fn typed(package: &str) -> Result<Vec<String>, String> {
    let page = root().join(package).join("README.md");
    let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    Ok(text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect())
}

/// An empty folder, and an installed package beside it.
struct Project {
    folder: PathBuf,
    prefix: PathBuf,
}

impl Project {
    fn new(language: &str) -> Result<Self, String> {
        let folder = target().join("quickstart").join(language);
        let prefix = target().join("quickstart").join(format!("{language}-prefix"));
        for path in [&folder, &prefix] {
            let _ = fs::remove_dir_all(path);
            fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self { folder, prefix })
    }

    fn write(&self, file: &str, text: &str) -> Result<(), String> {
        let path = self.folder.join(file);
        let folder = path.parent().ok_or("a file without a folder")?;
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(|error| error.to_string())
    }

    /// A block of commands in a shell that knows the prefix.
    fn shell(&self, block: &str, folder: &Path) -> Command {
        let mut command = Command::new("sh");
        command.args(["-ec", block]).current_dir(folder).env("PREFIX", &self.prefix).env_remove("LD_LIBRARY_PATH");
        command
    }

    /// Runs the first block of commands of the package's page, which installs the package. Returns the second block.
    fn install(&self, package: &str) -> Result<String, String> {
        match typed(package)?.as_slice() {
            [install, go] => finish(self.shell(install, &root())).map(|()| go.clone()),
            blocks => Err(format!("{package}/README.md has {} blocks of commands, not 2", blocks.len())),
        }
    }

    /// A block of the package's page, with the prefix written out.
    fn page(&self, package: &str, fence: &str, holds: &str) -> Result<String, String> {
        let text = block(&root().join(package).join("README.md"), fence, holds)?;
        Ok(text.replace("$PREFIX", &self.prefix.to_string_lossy()))
    }
}

/// Runs a program, which must print [`SAYS`].
fn says(mut command: Command) -> Result<(), String> {
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| error.to_string())?;
    // Maven resets the terminal's colours even where there are none.
    let said = String::from_utf8_lossy(&done.stdout).replace("\u{1b}[0m", "");
    if !done.status.success() {
        return Err(format!("{:?} ended with {}: {said}", command.get_program(), done.status));
    }
    if said == SAYS { Ok(()) } else { Err(format!("it says {said:?}")) }
}

/// Builds the C program against what is installed under a prefix, found by pkg-config. The files of the examples are the programs that the
/// page prints in C and in C++; the page's own commands build both.
pub(crate) fn c() -> Result<(), String> {
    let (project, program) = (Project::new("c")?, printed("c", &["bindings/c/README.md"], 52)?);
    let in_cpp = printed("cpp", &["bindings/c/README.md"], 30)?;
    for (name, program) in [("quickstart.c", &program), ("quickstart.cpp", &in_cpp)] {
        let kept = root().join("bindings/c/examples").join(name);
        if fs::read_to_string(&kept).map_err(|error| error.to_string())? != *program {
            return Err(format!("bindings/c/README.md prints another program than {}", kept.display()));
        }
    }
    let prefix = &project.prefix;
    dist::c::install(prefix)?;
    project.write("main.c", &program)?;
    let build = "cc main.c $(pkg-config --cflags --libs sesame) -Wl,-rpath,\"$LIB\" -o main && ./main";
    let mut command = Command::new("sh");
    command.args(["-ec", build]).current_dir(&project.folder);
    command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("LIB", prefix.join("lib"));
    says(command)
}

/// Builds the README's Rust program over the crates in the tree, as core's page says.
pub(crate) fn rust() -> Result<(), String> {
    let project = Project::new("rust")?;
    let page = root().join("sesame/README.md");
    let dependencies = block(&page, "toml", "[dependencies]")?.replace("../libsesame", &root().to_string_lossy());
    let package = "[package]\nname = \"quickstart\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n";
    project.write("Cargo.toml", &format!("{package}{dependencies}"))?;
    // The versions of the tree are downloaded already.
    fs::copy(root().join("Cargo.lock"), project.folder.join("Cargo.lock")).map_err(|error| error.to_string())?;
    project.write("src/main.rs", &printed("rust", &["README.md"], 40)?)?;
    let go = typed("sesame")?.concat();
    let mut command = project.shell(&go, &project.folder);
    command.env("CARGO_TARGET_DIR", target().join("quickstart/rust-target"));
    says(command)
}

/// Runs the README's Python program with a wheel, in an environment with nothing else. The wheel's page prints it as well.
pub(crate) fn python() -> Result<(), String> {
    let project = Project::new("python")?;
    let go = project.install("bindings/python")?;
    project.write("main.py", &printed("python", &["README.md", "bindings/python/README.md"], 40)?)?;
    says(project.shell(&go, &project.folder))
}

/// Builds the Kotlin program from the Maven repository, with the page's own `pom.xml`.
pub(crate) fn kotlin() -> Result<(), String> {
    let project = Project::new("kotlin")?;
    let go = project.install("bindings/kotlin")?;
    project.write("pom.xml", &project.page("bindings/kotlin", "xml", "<project")?)?;
    project.write("src/main/kotlin/Main.kt", &printed("kotlin", &["bindings/kotlin/README.md"], 40)?)?;
    // An earlier run may have left a package of the same version in Maven's own store.
    let _ = fs::remove_dir_all(toolchains::home().join("maven/libsesame"));
    let mut command = project.shell(&go, &project.folder);
    command.env("MAVEN_OPTS", toolchains::maven_options());
    says(command)
}

/// Builds the Swift program from the installed package, with the page's own `Package.swift`.
pub(crate) fn swift() -> Result<(), String> {
    let (project, tools) = (Project::new("swift")?, toolchains::swift()?);
    let go = project.install("bindings/swift")?;
    project.write("Package.swift", &project.page("bindings/swift", "swift", "import PackageDescription")?)?;
    project.write("Sources/quickstart/main.swift", &printed("swift", &["bindings/swift/README.md"], 40)?)?;
    let prefix = project.prefix.to_string_lossy();
    says(tools.command(&project.folder, &[("PREFIX", &*prefix)], &["sh", "-ec", &go]))
}
