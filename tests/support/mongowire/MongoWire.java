import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.ServerVersion;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.net.InetSocketAddress;
import org.h2.mvstore.MVStore;

/** usage: MongoWire HOST PORT [FILE] [oplog]. Without FILE (or with "-") all is in memory. */
public final class MongoWire {
  /** Commits the store before each answer: what was acknowledged outlives kill -9. */
  static final class Durable extends H2Backend {
    private final MVStore store;
    Durable(MVStore s) { super(s); store = s; }
    @Override public Document handleMessage(MongoMessage m) {
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

  public static void main(String[] a) throws Exception {
    boolean file = a.length > 2 && !a[2].equals("-");
    MongoBackend b = file
        ? new Durable(new MVStore.Builder().fileName(a[2]).open())
        : new MemoryBackend();
    b.version(ServerVersion.MONGO_5_0);
    MongoServer s = new MongoServer(b);
    if (a.length > 3 && a[3].equals("oplog")) s.enableOplog();
    s.bind(new InetSocketAddress(a[0], Integer.parseInt(a[1])));
    Runtime.getRuntime().addShutdownHook(new Thread(s::shutdownNow));
    System.out.println("mongodb://" + a[0] + ":" + s.getLocalAddress().getPort() + "/");
    Thread.currentThread().join();
  }
}
