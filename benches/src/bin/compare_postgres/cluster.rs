//! A private PostgreSQL cluster in a scratch folder, which ends with the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres::{Client, Config, NoTls};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Where Debian puts the server's programs, newest first; elsewhere they are found by name.
const BIN_FOLDERS: [&str; 3] =
    ["/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin"];

/// Settings of someone who knows PostgreSQL and a machine with a few GiB to spare; durable as meed is durable.
const SETTINGS: &str = "
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 1GB
effective_cache_size = 4GB
work_mem = 64MB
maintenance_work_mem = 256MB
wal_buffers = 64MB
max_wal_size = 16GB
checkpoint_timeout = 60min
checkpoint_completion_target = 0.9
wal_compression = off
max_connections = 64
jit = off
autovacuum = on
";

/// A running cluster. Dropping it stops the server and removes its files.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    bin: PathBuf,
}

impl Cluster {
    /// Starts a cluster, or says that PostgreSQL is not installed.
    pub(crate) fn start() -> Outcome<Option<Self>> {
        let Some(bin) = find_programs() else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("meed-postgres-").tempdir()?;
        let cluster = Self { folder, bin };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(cluster.folder.path()))?;
        }
        let data = cluster.data();
        run(cluster
            .program("initdb")
            .args(["--encoding=UTF8", "--locale=C", "--auth=trust", "--username=meed"])
            .arg(&data))?;
        std::fs::write(data.join("postgresql.auto.conf"), SETTINGS)?;
        let options = format!("-k {}", cluster.folder.path().display());
        run(cluster
            .program("pg_ctl")
            .arg("-D")
            .arg(&data)
            .args(["-w", "-o", &options, "-l"])
            .arg(cluster.log())
            .arg("start"))?;
        Ok(Some(cluster))
    }

    /// A connection.
    pub(crate) fn connect(&self) -> Outcome<Client> {
        let mut config = Config::new();
        config.host_path(self.folder.path()).user("meed").dbname("postgres");
        Ok(config.connect(NoTls)?)
    }

    /// Version as the server says it.
    pub(crate) fn version(&self) -> Outcome<String> {
        Ok(self.connect()?.query_one("SHOW server_version", &[])?.get(0))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The server refuses to run as root, so that root becomes the user that Debian's package makes.
    fn program(&self, name: &str) -> Command {
        let path = self.bin.join(name);
        if !is_root() {
            return Command::new(path);
        }
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path).current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Nothing can be done about a server that does not stop; its folder is a scratch folder.
        let stopped =
            run(self.program("pg_ctl").arg("-D").arg(self.data()).args(["-m", "immediate", "-w", "stop"]));
        if let Err(error) = stopped {
            eprintln!("the private PostgreSQL did not stop: {error}");
        }
    }
}

fn find_programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect::<Vec<_>>())
        .unwrap_or_default();
    BIN_FOLDERS
        .iter()
        .map(PathBuf::from)
        .chain(on_path)
        .find(|folder| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file()))
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata) == 0)
}

fn run(command: &mut Command) -> Outcome<()> {
    // The server inherits its starter's output: a pipe would never end.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{:?} ended with {status}", Path::new(command.get_program())).into())
}
