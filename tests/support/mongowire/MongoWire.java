import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.backend.memory.index.MemoryUniqueIndex;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.net.InetSocketAddress;
import java.util.List;
import org.h2.mvstore.MVStore;

/** usage: MongoWire HOST PORT [FILE] [oplog|no-ttl]. Without FILE (or with "-") all is in memory. no-ttl: who asks has no right to TTL indexes. */
public final class MongoWire {
  private static boolean isWithoutTtl;

  private static void check(MongoMessage m) {
    Document command = m.getDocument();
    if (isWithoutTtl && command.containsKey("createIndexes") && command.toString().contains("expireAfterSeconds"))
      throw new MongoServerError(13, "Unauthorized", "not authorized to make a TTL index");
  }

  /** Commits the store before each answer: what was acknowledged outlives kill -9. */
  static final class Durable extends H2Backend {
    private final MVStore store;
    Durable(MVStore s) { super(s); store = s; }
    @Override public Document handleMessage(MongoMessage m) {
      check(m);
      Document r = super.handleMessage(m);
      store.commit();
      return r;
    }
    @Override public Document handleCommand(io.netty.channel.Channel ch, String db, String cmd, Document q) {
      Document r = super.handleCommand(ch, db, cmd, q);
      store.commit();
      return r;
    }
  }

  /** What names an _id is looked for by it alone, as in MongoDB; the library does so only where a query names nothing else. */
  static final class ById extends MemoryUniqueIndex {
    ById(String name, List<IndexKey> keys, boolean sparse) { super(name, keys, sparse); }
    private static Document idOf(Document query) { return new Document("_id", query.get("_id")); }
    @Override public boolean canHandle(Document query) {
      return query.containsKey("_id") && super.canHandle(idOf(query));
    }
    @Override public Iterable<Integer> getPositions(Document query) {
      return super.getPositions(idOf(query)); // the collection holds them against the whole query
    }
  }

  static final class Memory extends MemoryBackend {
    @Override public Document handleMessage(MongoMessage m) {
      check(m);
      return super.handleMessage(m);
    }
    @Override public MemoryDatabase openOrCreateDatabase(String name) {
      return new MemoryDatabase(name, getCursorRegistry()) {
        @Override protected Index<Integer> openOrCreateUniqueIndex(String c, String i, List<IndexKey> keys, boolean sparse) {
          boolean isId = keys.size() == 1 && keys.get(0).getKey().equals("_id");
          return isId ? new ById(i, keys, sparse) : super.openOrCreateUniqueIndex(c, i, keys, sparse);
        }
      };
    }
  }

  public static void main(String[] a) throws Exception {
    boolean file = a.length > 2 && !a[2].equals("-");
    MongoBackend b = file
        ? new Durable(new MVStore.Builder().fileName(a[2]).open())
        : new Memory();
    b.version(ServerVersion.MONGO_5_0);
    MongoServer s = new MongoServer(b);
    if (a.length > 3 && a[3].equals("oplog")) s.enableOplog();
    isWithoutTtl = a.length > 3 && a[3].equals("no-ttl");
    s.bind(new InetSocketAddress(a[0], Integer.parseInt(a[1])));
    Runtime.getRuntime().addShutdownHook(new Thread(s::shutdownNow));
    System.out.println("mongodb://" + a[0] + ":" + s.getLocalAddress().getPort() + "/");
    Thread.currentThread().join();
  }
}
